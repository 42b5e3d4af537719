@# The kubelet's unit, and what in its configuration depends on this very machine (a kubeadm patch). #@
CONFIG=/etc/kubernetes/clusterctl

kubelet_unit() {
  unit kubelet.service <<END
[Unit]
Description=kubelet: the Kubernetes node agent
Wants=network-online.target
After=network-online.target containerd.service
StartLimitIntervalSec=0
RequiresMountsFor=/var/lib/containerd$([[ $CCTL_ROLE == worker ]] || echo " $ETCD")
[Service]
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=$(command -v kubelet) --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml \$KUBELET_KUBEADM_ARGS \$KUBELET_EXTRA_ARGS
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
END
  @# Under the name that the packages use, so that theirs does not start another kubelet. #@
  unit kubelet.service.d/10-kubeadm.conf </dev/null
  systemctl enable -q kubelet.service
}

cgroup_version() { if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then echo 2; else echo 1; fi; }

@# What the node keeps back: for kubelet and containerd 256 MiB and a twentieth of the memory, 60 millicores and 10 a core;
   for the system 1 GiB and 500 millicores, less on small machines. #@
kubelet_patch() { # MIB CORES
  local system=$(($1 / 16)) cpu=$(($2 * 50)) evict=500 extra=",\"protectKernelDefaults\":$PROTECT"
  ((system < 1024)) || system=1024
  ((cpu < 500)) || cpu=500
  (($1 >= 8192)) || evict=200
  [[ -d /run/systemd/system ]] || extra+=',"cgroupDriver":"cgroupfs"'
  [[ $(cgroup_version) == 2 ]] || extra+=',"failCgroupV1":false'
  if systemctl -q is-active systemd-resolved.service; then extra+=',"resolvConf":"/run/systemd/resolve/resolv.conf"'; fi
  printf '{"kubeReserved":{"cpu":"%sm","memory":"%sMi"},"systemReserved":{"cpu":"%sm","memory":"%sMi"},"evictionHard":{"memory.available":"%sMi","nodefs.available":"10%%","nodefs.inodesFree":"5%%","imagefs.available":"15%%"}%s}\n' \
    $((60 + $2 * 10)) $((256 + $1 / 20)) "$cpu" "$system" "$evict" "$extra"
}

ensure_kubelet() {
  local memory
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
  kubelet_unit
  kubelet_patch "$memory" "$(nproc)" | write_file "$CONFIG/patches/kubeletconfiguration0+merge.json" 600 || true
}

node_facts() {
  local name topology
  NODE_IP=$(node_ip)
  name=$(cloud_node_name)
  NODE_NAME=${name,,}
  topology=$(cloud_topology)
  hole node-ip '[0-9.]+' "$NODE_IP"
  hole node-name '[a-z0-9]([a-z0-9.-]*[a-z0-9])?' "$NODE_NAME"
  hole endpoint '[A-Za-z0-9.-]+' "$CCTL_API_ENDPOINT"
  hole provider-id '[A-Za-z0-9:/._-]+' "$(cloud_provider_id)"
  hole labels '[A-Za-z0-9./_=,-]*' "$CCTL_LABELS${CCTL_LABELS:+,}$topology"
}
