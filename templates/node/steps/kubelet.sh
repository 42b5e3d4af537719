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
ExecStart=$(command -v kubelet)
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
END
  @# The same file name as the packages use, so that ours stands in for theirs. #@
  unit kubelet.service.d/10-kubeadm.conf <<END
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=$(command -v kubelet) \$KUBELET_KUBECONFIG_ARGS \$KUBELET_CONFIG_ARGS \$KUBELET_KUBEADM_ARGS \$KUBELET_EXTRA_ARGS
END
  systemctl enable -q kubelet.service
}

cgroup_version() { if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then echo 2; else echo 1; fi; }

@# protectKernelDefaults makes the kubelet refuse to start where these differ; some machines (containers) cannot set them. #@
kernel_defaults_hold() {
  [[ $(sysctl -n vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys \
    kernel.keys.root_maxbytes 2>/dev/null | tr '\n' ' ') == '1 0 10 1 1000000 25000000 ' ]]
}

@# What the node keeps back for the kubelet and the system: memory in steps of 25, 20, 10, 6 and 2 percent, 6, 1, 0.5 and 0.25
   percent of the cores; the system's own share shrinks on small machines. Units: MiB and millicores. #@
reserved_memory() { # MIB
  local left=$1 sum=0 step
  for step in 4096:25 4096:20 8192:10 114688:6 1073741824:2; do
    local size=${step%:*}
    ((left > size)) || size=$left
    sum=$((sum + size * ${step#*:} / 100))
    left=$((left - size))
  done
  echo "$sum"
}

reserved_cpu() { # CORES
  local sum=60
  (($1 < 2)) || sum=70
  (($1 < 3)) || sum=$((sum + ($1 < 4 ? 1 : 2) * 5))
  (($1 < 5)) || sum=$((sum + ($1 - 4) * 5 / 2))
  echo "$sum"
}

kubelet_patch() { # MIB CORES
  local system=$(($1 / 16)) cpu=$(($2 * 50)) evict=500 extra=
  ((system < 1024)) || system=1024
  ((cpu < 500)) || cpu=500
  (($1 >= 8192)) || evict=200
  [[ -d /run/systemd/system ]] || extra+=',"cgroupDriver":"cgroupfs"'
  [[ $(cgroup_version) == 2 ]] || extra+=',"failCgroupV1":false'
  kernel_defaults_hold || extra+=',"protectKernelDefaults":false'
  if systemctl -q is-active systemd-resolved.service; then extra+=',"resolvConf":"/run/systemd/resolve/resolv.conf"'; fi
  printf '{"kubeReserved":{"cpu":"%sm","memory":"%sMi"},"systemReserved":{"cpu":"%sm","memory":"%sMi"},"evictionHard":{"memory.available":"%sMi","nodefs.available":"10%%","nodefs.inodesFree":"5%%","imagefs.available":"15%%"}%s}\n' \
    "$(reserved_cpu "$2")" "$(reserved_memory "$1")" "$cpu" "$system" "$evict" "$extra"
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
