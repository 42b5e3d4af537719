@# A worker reads the join material and nothing else. #@
ETCD=

join_cluster() {
  forget_attempt
  wait_until 900 "fresh join material" join_material
  kubeadm_run "$CCTL_JOIN" join || exit 1
}

role() {
  phase join-material wait_until 1800 "join material from the control plane" join_material
  phase api wait_until 900 "the API endpoint $CCTL_API_ENDPOINT" api_answers
  phase join join_cluster
  tighten
}
