@# The control plane. One node at a time, under the lock, either initialises or joins:
     the disk holds a member that has served before   -> rejoin, from the disk's keys, without asking anybody
     the cluster is announced                         -> join
     nobody has begun, or this very disk has          -> init, then announce
     another disk has begun and not announced         -> wait: a second init beside its etcd member would be a second cluster
   `kubeadm init` in full runs only on a disk without a member. #@
ETCD=/var/lib/etcd
TOKEN_TTL=900

member_on_disk() { [[ -d $ETCD/data/member ]]; }
settled() { [[ -e $ETCD/clusterctl/settled ]]; }
disk_identity() { echo "${CCTL_ETCD_VOLUME:-$NODE_NAME}"; }

claim_disk() {
  (umask 077 && mkdir -p "$ETCD/clusterctl" "$ETCD/data")
  chmod 700 "$ETCD/data"
  if [[ ! -e $ETCD/clusterctl/uid ]]; then
    ! member_on_disk || die "the etcd disk holds a member that is not ours: left alone"
    printf '%s' "$CCTL_UID" >"$ETCD/clusterctl/uid"
  fi
  [[ $(<"$ETCD/clusterctl/uid") == "$CCTL_UID" ]] || die "the etcd disk belongs to the cluster $(<"$ETCD/clusterctl/uid"): left alone"
}

api_server_files() {
  local document
  mkdir -p /var/log/kubernetes/audit
  printf '%s\n' "$CCTL_AUDIT" | write_file "$CONFIG/audit.json" 600 || true
  printf '%s\n' "$CCTL_AUTHENTICATION" | write_file "$CONFIG/authentication.json" 600 || true
  hole encryption-key '[A-Za-z0-9+/]{43}=' "$(<"$PKI/encryption.key")"
  document=$(fill "$CCTL_ENCRYPTION")
  printf '%s\n' "$document" | write_file "$CONFIG/encryption.json" 600 || true
}

new_token() {
  local hex
  hex=$(openssl rand -hex 11)
  hole token '.*' "${hex:0:6}.${hex:6:16}"
}

begun_elsewhere() {
  local announced begun
  secret_read announced control-plane/cluster
  [[ -z $announced ]] || return 1
  secret_read begun control-plane/etcd
  [[ -n $begun && $begun != "$(disk_identity)" ]]
}

nobody_begun_elsewhere() { ! begun_elsewhere; }

bring_up() {
  local announced begun code
  while :; do
    wait_until 1800 "the node with the first etcd member (is its disk lost? then delete the parameter control-plane/etcd)" nobody_begun_elsewhere
    lock
    secret_read announced control-plane/cluster
    if [[ -n $announced ]]; then
      join_cluster
      break
    fi
    code=0
    secret_create control-plane/etcd "$(disk_identity)" || code=$?
    ((code == 0 || code == 4)) || exit 1
    secret_read begun control-plane/etcd
    if [[ $begun == "$(disk_identity)" ]]; then
      init_cluster
      break
    fi
    unlock
  done
  touch "$ETCD/clusterctl/settled"
  sync -f "$ETCD"
  unlock
}

init_cluster() {
  local code=0 skip=show-join-command announced
  new_token
  still_ours
  if member_on_disk; then
    say wait "going on with an init that broke off"
    skip+=,preflight
  else
    forget_attempt
    ensure_pki
  fi
  kubeadm_run "$CCTL_INIT" init --skip-phases="$skip" || code=$?
  if ((code != 0)); then
    @# Without a member nothing was begun: somebody else may. #@
    member_on_disk || secret_delete control-plane/etcd
    exit 1
  fi
  still_ours
  secret_put join/material "${HOLES[token]} $(ca_hash) $((EPOCHSECONDS + TOKEN_TTL))"
  secret_create control-plane/cluster "$(disk_identity)" || (($? == 4)) || exit 1
  secret_read announced control-plane/cluster
  [[ $announced == "$(disk_identity)" ]] || die "$announced has announced this cluster: two were begun"
}

join_cluster() {
  local skip=()
  wait_until 900 "the API endpoint $CCTL_API_ENDPOINT" api_answers
  wait_until 900 "join material" join_material
  still_ours
  if member_on_disk; then
    say wait "going on with a join that broke off"
    skip=(--skip-phases=preflight)
    [[ ! -e /etc/kubernetes/kubelet.conf ]] || skip=("--skip-phases=preflight,kubelet-start,kubelet-wait-bootstrap")
  else
    forget_attempt
    ensure_pki
  fi
  kubeadm_run "$CCTL_JOIN" join "${skip[@]}" || exit 1
}

@# A new machine for an old disk: certificates, kubeconfigs and manifests are made again from the disk's keys, and etcd
   goes on with the member it finds. Nothing is uploaded and nothing is initialised. #@
rejoin() {
  local step words
  for step in 'certs all' 'kubeconfig all' 'etcd local' 'control-plane all' kubelet-start; do
    read -ra words <<<"$step"
    kubeadm_run "$CCTL_INIT" init phase "${words[@]}" || exit 1
  done
  wait_until 600 "the API server of this node" own_api_answers
  kubeadm_run "$CCTL_INIT" init phase kubelet-finalize all || exit 1
}

own_api_answers() { [[ $(curl -sk -m 5 --noproxy '*' "https://$NODE_IP:6443/readyz") == ok ]]; }

@# Runs every few minutes on every control-plane node; whoever is first finds the material old and renews it. #@
renew_token() {
  local current token expires=0
  secret_read current join/material
  [[ -z $current ]] || expires=${current##* }
  ((expires < EPOCHSECONDS + TOKEN_TTL * 2 / 3)) || return 0
  token=$(kubeadm token create --ttl "${TOKEN_TTL}s" --kubeconfig /etc/kubernetes/admin.conf 2>"$RUN/message") || exit 1
  secret_put join/material "$token $(ca_hash) $((EPOCHSECONDS + TOKEN_TTL))"
}

token_service() {
  unit clusterctl-token.service <<END
[Unit]
Description=Renew the token that workers join with
StartLimitIntervalSec=0
[Service]
ExecStart=$HOME_DIR/bootstrap renew-token
Restart=always
RestartSec=180
[Install]
WantedBy=multi-user.target
END
  systemctl enable -q --now clusterctl-token.service
}

role() {
  new_token
  hole certificates '/.*' "$PKI"
  phase etcd-disk ensure_etcd_disk
  claim_disk
  phase keys ensure_pki
  api_server_files
  if member_on_disk && settled; then
    phase rejoin rejoin
  else
    phase control-plane bring_up
  fi
  tighten
  phase token token_service
}
