@# kubeadm's own words go to a file that only root reads, without tokens; its last error becomes our message. #@
KUBEADM_LOG=/var/log/clusterctl-kubeadm.log

mask() { sed -E 's/[a-z0-9]{6}\.[a-z0-9]{16}/******/g'; }

kubeadm_run() { # DOCUMENTS VERB [ARGUMENT...]
  local code=0 ignore=() document
  document=$(fill "$1") || exit 1
  shift
  [[ ${2:-} == phase || $(cgroup_version) == 2 ]] || ignore=(--ignore-preflight-errors=SystemVerification)
  (umask 077 && printf '%s' "$document" >"$RUN/kubeadm.yaml" && : >>"$KUBEADM_LOG") || exit 1
  kubeadm "$@" --config "$RUN/kubeadm.yaml" "${ignore[@]}" 2>&1 </dev/null | mask >"$RUN/kubeadm.out" || code=$?
  cat "$RUN/kubeadm.out" >>"$KUBEADM_LOG"
  if ((code != 0)); then
    {
      printf 'kubeadm %s: ' "$1"
      { grep -iE '^error|fatal|ERROR ' "$RUN/kubeadm.out" || tail -n 3 "$RUN/kubeadm.out"; } | tail -n 4 | tr '\n\t' '  '
    } >"$RUN/message"
  fi
  rm -f "$RUN/kubeadm.yaml" "$RUN/kubeadm.out"
  return "$code"
}

@# Join material: token, hash of the CA's public key, time of expiry. A token that ends within a minute is none. #@
join_material() {
  local token hash expires
  secret_read JOIN join/material
  read -r token hash expires <<<"$JOIN"
  [[ -n $expires ]] && ((expires > EPOCHSECONDS + 60)) || return 1
  hole token '[a-z0-9]{6}\.[a-z0-9]{16}' "$token"
  hole ca-hash 'sha256:[0-9a-f]{64}' "$hash"
}

@# No certificate is checked here: this asks only whether anybody answers. kubeadm checks the CA by its hash. #@
api_answers() {
  [[ $(curl -sk -m 5 --noproxy '*' "https://$CCTL_API_ENDPOINT:$CCTL_API_PORT/readyz") == ok ]]
}

secret_read() { # VARIABLE NAME: empty when there is none
  local _value _code=0
  _value=$(secret_get "$2") || _code=$?
  ((_code == 0 || _code == 3)) || exit 1
  printf -v "$1" '%s' "$_value"
}

@# What an attempt that broke off left behind, on a machine that belongs to no cluster yet. #@
forget_attempt() {
  compgen -G '/etc/kubernetes/*.conf' >/dev/null || compgen -G '/etc/kubernetes/manifests/*' >/dev/null || return 0
  say wait "clearing what an earlier attempt left"
  kubeadm reset --force >>"$KUBEADM_LOG" 2>&1 </dev/null || die "kubeadm reset failed"
}

tighten() { chmod 600 /var/lib/kubelet/config.yaml /etc/kubernetes/*.conf; }
