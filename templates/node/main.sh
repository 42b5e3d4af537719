@# As user-data it only puts itself in place; the unit runs it, at this boot and at every later one until it is done. #@
install_self() {
  mkdir -p "$HOME_DIR"
  [[ $0 == "$HOME_DIR/bootstrap" ]] || install -m 700 "$0" "$HOME_DIR/bootstrap"
  unit clusterctl-bootstrap.service <<END
[Unit]
Description=clusterctl node bootstrap
Wants=network-online.target
After=network-online.target
ConditionPathExists=!$HOME_DIR/done
StartLimitIntervalSec=0
[Service]
Type=oneshot
ExecStart=$HOME_DIR/bootstrap run
Restart=on-failure
RestartSec=20
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
END
  systemctl enable -q clusterctl-bootstrap.service
  systemctl start --no-block clusterctl-bootstrap.service
}

run() {
  [[ ! -e $HOME_DIR/done ]] || return 0
  phase packages ensure_packages
  phase kernel ensure_kernel
  ensure_quiet
  ensure_metadata
  phase programs ensure_programs
@% if data_disk != "none" %@
  phase data-disk ensure_data_disk
@% endif %@
  phase containerd ensure_runtime
  phase facts node_facts
  phase kubelet ensure_kubelet
  role
  PHASE=bootstrap PHASE_START=0
  touch "$HOME_DIR/done"
  say ok "$NODE_NAME"
}

main() {
  set -Eeuo pipefail
  umask 022
  export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  (umask 077 && mkdir -p "$RUN")
  trap on_exit EXIT
  trap 'on_error "$LINENO" "$BASH_COMMAND"' ERR
  [[ ${1:-} != run ]] || { exec 9>"$RUN/running" && flock -n 9; } || die "another run is under way"
  rm -f "$RUN/message"
  case ${1:-} in
  '') install_self ;;
  run) run ;;
@% if role == "control-plane" %@
  renew-token)
    PHASE=token
    renew_token
    ;;
@% endif %@
  *) die "unknown command $1" ;;
  esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
