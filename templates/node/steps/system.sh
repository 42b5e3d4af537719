@# The machine under the containers. Every step may run again. #@
SYS_BLOCK=/sys/block

ensure_packages() {
  local missing=() pair held
  for pair in curl:curl openssl:openssl mkfs.ext4:e2fsprogs tar:tar ip:iproute2; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  command -v nft >/dev/null || command -v iptables >/dev/null || missing+=(nftables)
  if ((${#missing[@]})); then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update || die "apt-get update failed"
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" >/dev/null ||
      die "apt-get could not install ${missing[*]}"
  fi
  @# Kernel and driver belong together, kubelet and cluster too: an unattended upgrade must not part them. #@
  command -v apt-mark >/dev/null || return 0
  mapfile -t held < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 'kube*' 'containerd*' runc cri-tools kubernetes-cni \
    'linux-image-*' 'linux-headers-*' 'linux-modules-*' 'nvidia-*' 'libnvidia-*' 2>/dev/null | awk '$1 ~ /^.i/ { print $2 }')
  ((${#held[@]} == 0)) || apt-mark -qq hold "${held[@]}" >/dev/null
}

ensure_kernel() {
  local module tracked
  printf '%s\n' overlay br_netfilter nf_conntrack | write_file /etc/modules-load.d/clusterctl.conf 644 || true
  for module in overlay br_netfilter nf_conntrack; do
    modprobe "$module" || die "the kernel has no module $module"
  done
  tracked=$(($(nproc) * 32768))
  write_file /etc/sysctl.d/90-clusterctl.conf 644 <<END || true
net.ipv4.ip_forward = 1
net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1
net.netfilter.nf_conntrack_max = $((tracked > 131072 ? tracked : 131072))
fs.inotify.max_user_instances = 8192
fs.inotify.max_user_watches = 524288
vm.max_map_count = 262144
vm.overcommit_memory = 1
vm.panic_on_oom = 0
kernel.panic = 10
kernel.panic_on_oops = 1
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
END
  @# A value that cannot be set here is noticed where it matters: forwarding below, the kubelet's own in the kubelet step. #@
  sysctl -q -e -p /etc/sysctl.d/90-clusterctl.conf >/dev/null 2>&1 || true
  [[ $(sysctl -n net.ipv4.ip_forward) == 1 ]] || die "net.ipv4.ip_forward cannot be switched on"
}

ensure_quiet() { # swap and host firewalls off
  local unit
  swapoff -a || true
  [[ ! -e /etc/fstab ]] || sed -i -E '/^[^#]\S*\s+\S+\s+swap\s/ s/^/# clusterctl: /' /etc/fstab
  for unit in firewalld ufw; do
    if systemctl cat "$unit.service" >/dev/null 2>&1; then systemctl disable -q --now "$unit.service"; fi
  done
}

@# Pods reach the metadata service through forwarding, the node itself does not: that is the line to cut. #@
ensure_metadata() {
  local start stop
  if command -v nft >/dev/null; then
    write_file /etc/clusterctl-metadata.nft 600 <<'END' || true
table inet clusterctl
delete table inet clusterctl
table inet clusterctl {
  chain forward {
    type filter hook forward priority -10; policy accept;
    ip daddr 169.254.169.254 reject
    ip6 daddr fd00:ec2::254 reject
  }
}
END
    start="$(command -v nft) -f /etc/clusterctl-metadata.nft"
    stop="$(command -v nft) delete table inet clusterctl"
  else
    start="/bin/sh -c 'iptables -C FORWARD -d 169.254.169.254 -j REJECT 2>/dev/null || iptables -I FORWARD -d 169.254.169.254 -j REJECT'"
    stop="$(command -v iptables) -D FORWARD -d 169.254.169.254 -j REJECT"
  fi
  unit clusterctl-metadata.service <<END
[Unit]
Description=Close the metadata service to pods
After=network-pre.target
Before=containerd.service kubelet.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=$start
ExecStop=$stop
[Install]
WantedBy=multi-user.target
END
  systemctl enable -q --now clusterctl-metadata.service
}

unit() { # NAME <content
  if write_file "/etc/systemd/system/$1" 644; then systemctl daemon-reload; fi
}
