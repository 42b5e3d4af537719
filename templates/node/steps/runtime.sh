@# containerd 2, runc and the CNI plugins. A program that is there in a fitting version stays. #@
containerd_fits() {
  local version
  version=$(containerd --version 2>/dev/null | awk '{ print $3 }')
  version=${version#v}
  [[ ${version%%.*} =~ ^[0-9]+$ ]] && ((${version%%.*} >= 2))
}

ensure_programs() {
  local name stage=$RUN/fetch wanted=(kubeadm kubelet)
  [[ $CCTL_ROLE == worker ]] || wanted+=(kubectl)
  rm -rf "$stage"
  mkdir -p "$stage" /opt/cni/bin /usr/local/bin /usr/local/sbin
  if ! containerd_fits; then
    fetch containerd "$stage/containerd"
    tar -C /usr/local -xzf "$stage/containerd"
  fi
  if ! command -v runc >/dev/null; then
    fetch runc "$stage/runc"
    install -m 755 "$stage/runc" /usr/local/sbin/runc
  fi
  for name in loopback bridge host-local portmap; do
    [[ ! -x /opt/cni/bin/$name ]] || continue
    fetch cni-plugins "$stage/cni"
    tar -C /opt/cni/bin -xzf "$stage/cni"
    break
  done
  for name in "${wanted[@]}"; do
    kubernetes_fits "$name" && continue
    fetch "$name" "$stage/$name"
    install -m 755 "$stage/$name" "/usr/local/bin/$name"
  done
  hash -r
  rm -rf "$stage"
}

kubernetes_fits() { # PROGRAM
  case $1 in
  kubelet) [[ $(kubelet --version 2>/dev/null) == "Kubernetes $CCTL_KUBERNETES" ]] ;;
  kubeadm) [[ $(kubeadm version -o short 2>/dev/null) == "$CCTL_KUBERNETES" ]] ;;
  kubectl) [[ $(kubectl version --client 2>/dev/null) == *"$CCTL_KUBERNETES"* ]] ;;
  esac
}

containerd_config() {
  cat <<END
version = 3
imports = ['/etc/containerd/conf.d/*.toml']
[plugins.'io.containerd.cri.v1.images']
pinned_images.sandbox = '$CCTL_PAUSE'
registry.config_path = '/etc/containerd/certs.d'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
options.SystemdCgroup = $1
END
}

@% if gpu %@
nvidia_config() {
  cat <<END
version = 3
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.nvidia]
runtime_type = 'io.containerd.runc.v2'
options.BinaryName = '$(command -v nvidia-container-runtime)'
options.SystemdCgroup = $1
END
}
@% endif %@

containerd_answers() { ctr version >/dev/null 2>&1; }

ensure_runtime() {
  local changed='' systemd=false registry server mirror
  [[ ! -d /run/systemd/system ]] || systemd=true
  mkdir -p /etc/containerd/conf.d /etc/cni/net.d
  containerd_config "$systemd" | write_file /etc/containerd/config.toml 644 && changed=1
@% if gpu %@
  if command -v nvidia-container-runtime >/dev/null; then
    nvidia_config "$systemd" | write_file /etc/containerd/conf.d/clusterctl-nvidia.toml 644 && changed=1
  fi
@% endif %@
  while read -r registry server mirror; do
    [[ -n $registry ]] || continue
    write_file "/etc/containerd/certs.d/$registry/hosts.toml" 644 <<END || true
server = "https://$server"
[host."$mirror"]
capabilities = ["pull", "resolve"]
END
  done <<<"$CCTL_REGISTRIES"
  unit containerd.service <<END
[Unit]
Description=containerd container runtime
After=network.target local-fs.target
RequiresMountsFor=/var/lib/containerd
[Service]
ExecStartPre=$(command -v nft) -f /etc/clusterctl-metadata.nft
ExecStart=$(command -v containerd)
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNOFILE=infinity
TasksMax=infinity
OOMScoreAdjust=-999
[Install]
WantedBy=multi-user.target
END
  systemctl enable -q containerd.service
  [[ -z $changed ]] || systemctl restart containerd.service
  systemctl start containerd.service
  wait_until 120 "containerd's socket" containerd_answers
  printf '%s %s\n' "$CCTL_CNI" "$CCTL_MTU" | write_file /etc/kubernetes/clusterctl/cni 644 || true
}
