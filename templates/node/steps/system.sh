@# The machine under the containers. Every step may run again. #@
SYS_BLOCK=/sys/block
PROTECT=true

ensure_packages() {
  local missing=() pair held apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  for pair in curl:curl openssl:openssl nft:nftables; do
    command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  if ((${#missing[@]})); then
    export DEBIAN_FRONTEND=noninteractive
    { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null; } ||
      die "apt-get could not install ${missing[*]}"
  fi
  @# Kernel and driver belong together, kubelet and cluster too: an unattended upgrade must not part them. #@
  command -v apt-mark >/dev/null || return 0
  mapfile -t held < <(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' 'kube*' 'containerd*' runc 'linux-image-*' \
    'linux-headers-*' 'linux-modules-*' '*nvidia-*' 2>/dev/null | sed -n 's/^.i //p')
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
vm.overcommit_memory = 1
vm.panic_on_oom = 0
kernel.panic = 10
kernel.panic_on_oops = 1
kernel.keys.root_maxkeys = 1000000
kernel.keys.root_maxbytes = 25000000
END
  @# Some machines (containers) may not set them all: then the kubelet must not insist on its own. #@
  sysctl -q -e -p /etc/sysctl.d/90-clusterctl.conf >/dev/null 2>&1 || PROTECT=false
  [[ $(sysctl -n net.ipv4.ip_forward) == 1 ]] || die "net.ipv4.ip_forward cannot be switched on"
}

ensure_quiet() { # swap and host firewalls off
  swapoff -a || true
  [[ ! -e /etc/fstab ]] || sed -i -E '/^[^#]\S*\s+\S+\s+swap\s/ s/^/# clusterctl: /' /etc/fstab
  local unit
  for unit in firewalld ufw; do systemctl disable -q --now "$unit" 2>/dev/null || true; done
}

@# Pods reach the metadata service through forwarding, the node itself does not: that is the line to cut. The unit of
   containerd loads this file, so that no pod runs without it. #@
ensure_metadata() {
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
}

unit() { # NAME <content
  if write_file "/etc/systemd/system/$1" 644; then systemctl daemon-reload; fi
}
