#!/bin/bash
CCTL_API_ENDPOINT='@{1}'
CCTL_ETCD_VOLUME=''
# clusterctl node bootstrap: holds no secret, may run again
CCTL_ROLE='worker'
CCTL_CLUSTER='large'
CCTL_UID='00112233445566778899aabbccddeeff'
CCTL_API_PORT='6443'
CCTL_NODE_SUBNETS='10.20.0.0/18 10.20.64.0/18 10.20.128.0/18'
CCTL_KUBERNETES='v1.36.4'
CCTL_PAUSE='registry.k8s.io/pause:3.10.2'
CCTL_ARCHITECTURE='aarch64'
CCTL_ARTIFACTS='kubeadm dl.k8s.io/release/v1.36.4/bin/linux/arm64/kubeadm 6a849c07d3e1c708f5c40f1ac8be03a56124204dfc7e1931e4113634019c0dad
kubelet dl.k8s.io/release/v1.36.4/bin/linux/arm64/kubelet fd53ea3fcbd077844f50a3c67e9b52f62972a563674956bab0c0f4fb7ea37d50
cni-plugins github.com/containernetworking/plugins/releases/download/v1.9.1/cni-plugins-linux-arm64-v1.9.1.tgz 56171987d3947707c3563db2f4001bccaf50fd63468611b9f3cbecb1375ee7ec
containerd github.com/containerd/containerd/releases/download/v2.3.6/containerd-2.3.6-linux-arm64.tar.gz 6b3d383cc051f0bd7b2303f9034fdc9029f04c237cadb23b5e890a5b68534e05
runc github.com/opencontainers/runc/releases/download/v1.4.3/runc.arm64 633301e2e32f8a5ad54031aab4901eb00308bec677dd15faa2751e8f9dab5ca4'
CCTL_MIRROR=''
CCTL_REGISTRIES=''
CCTL_DATA_DISK='block'
CCTL_LABELS='clusterctl.dev/node-group=arm'
CCTL_CNI='cilium'
CCTL_MTU='8951'
CCTL_JOIN='{"apiVersion":"kubeadm.k8s.io/v1beta4","kind":"JoinConfiguration","discovery":{"bootstrapToken":{"token":"@@token@@","apiServerEndpoint":"@@endpoint@@:6443","caCertHashes":["@@ca-hash@@"]}},"nodeRegistration":{"name":"@@node-name@@","criSocket":"unix:///run/containerd/containerd.sock","kubeletExtraArgs":[{"name":"node-ip","value":"@@node-ip@@"},{"name":"node-labels","value":"@@labels@@"},{"name":"provider-id","value":"@@provider-id@@"}],"taints":[]},"patches":{"directory":"/etc/kubernetes/clusterctl/patches"}}'
CCTL_REGION='eu-central-1'
CCTL_SSM_ENDPOINT='https://ssm.eu-central-1.amazonaws.com'
CCTL_SSM_KEY=''
RUN=/run/clusterctl
HOME_DIR=/usr/local/lib/clusterctl
CONSOLE=/dev/console
PHASE=setup
PHASE_START=0
FAILED_LINE=
FAILED_COMMAND=
say() {
local text=${2:-}
text=${text//[^[:print:]]/ }
text="clusterctl: phase=$PHASE state=$1 elapsed=$((SECONDS - PHASE_START))s${3:+ line=$3}${text:+ message=${text:0:300}}"
printf '%s\n' "$text"
{ printf '%s\r\n' "$text" >"$CONSOLE"; } 2>/dev/null || true
}
phase() {
PHASE=$1 PHASE_START=$SECONDS
say start
"${@:2}"
say ok
}
die() {
printf '%s' "$*" >"$RUN/message"
exit 1
}
on_error() { FAILED_LINE=$1 FAILED_COMMAND=$2; }
on_exit() {
local code=$? message
if ((code != 0)); then
message="exit $code of: $FAILED_COMMAND"
[[ ! -s $RUN/message ]] || message=$(<"$RUN/message")
say failed "$message" "$FAILED_LINE"
fi
if declare -F unlock >/dev/null; then unlock; fi
}
wait_until() {
local deadline=$((SECONDS + $1)) what=$2 next=$((SECONDS + 30))
shift 2
until "$@"; do
((SECONDS < deadline)) || die "gave up waiting for $what"
if ((SECONDS >= next)); then
say wait "$what"
next=$((SECONDS + 30))
fi
sleep 3
done
}
write_file() {
local new=$1.clusterctl-new
mkdir -p "${1%/*}"
(umask 077 && cat >"$new") || die "cannot write $1"
chmod "$2" "$new"
if cmp -s "$new" "$1"; then
rm "$new"
return 1
fi
mv -f "$new" "$1" || die "cannot write $1"
}
fetch() {
local name path sum url
[[ $(uname -m) == "$CCTL_ARCHITECTURE" ]] || die "this machine is $(uname -m), its configuration is for $CCTL_ARCHITECTURE"
while read -r name path sum; do
[[ $name == "$1" ]] || continue
url=${CCTL_MIRROR:-https:/}/$path
curl -fsSL --connect-timeout 10 --max-time 600 --retry 6 --retry-all-errors --retry-delay 2 -o "$2" "$url" ||
die "cannot fetch $url"
echo "$sum  $2" | sha256sum --check --status || die "$url is not what its sha256 $sum says"
return
done <<<"$CCTL_ARTIFACTS"
die "the release table has no $1"
}
is_blank() {
local code=0 size
blkid -p "$1" >/dev/null 2>&1 || code=$?
((code == 2)) || return 1
size=$(blockdev --getsize64 "$1") || die "cannot read $1"
((size >= 2097152)) || return 1
zeros "$1" 0 && zeros "$1" $((size / 1048576 - 1))
}
zeros() {
local left
left=$(set -o pipefail; dd if="$1" bs=1M skip="$2" count=1 status=none | tr -d '\0' | wc -c) || die "cannot read $1"
((left == 0))
}
label_of() { blkid -p -s LABEL -o value "$1" 2>/dev/null || true; }
mount_disk() {
local uuid label
! is_blank "$1" || mkfs.ext4 -q -m 0 -L "$2" "$1"
label=$(label_of "$1")
[[ $label == "$2" ]] || die "$1 is not ours (its label is '$label', not $2): left alone"
uuid=$(blkid -p -s UUID -o value "$1")
mkdir -p "$3"
grep -qs "^UUID=$uuid $3 " /etc/fstab ||
echo "UUID=$uuid $3 ext4 defaults,noatime,nofail,x-systemd.device-timeout=120s 0 2" >>/etc/fstab
systemctl daemon-reload
mountpoint -q "$3" || mount "$3"
}
ensure_etcd_disk() {
local device
if [[ -z $CCTL_ETCD_VOLUME ]]; then
mkdir -p "$ETCD"
return
fi
wait_until 900 "the etcd volume $CCTL_ETCD_VOLUME" disk_is_there "$CCTL_ETCD_VOLUME"
device=$(cloud_disk "$CCTL_ETCD_VOLUME")
mount_disk "$device" cctl-etcd "$ETCD"
}
disk_is_there() { cloud_disk "$1" >/dev/null; }
CONTAINERD=/var/lib/containerd
ensure_data_disk() {
local device fresh=$RUN/data
! mountpoint -q "$CONTAINERD" || return 0
device=$(find_data_disk)
if [[ -z $device ]]; then
say wait "no empty data disk: containerd stays on the root disk"
return
fi
if [[ -n $(ls -A "$CONTAINERD" 2>/dev/null) && $(label_of "$device") != cctl-data ]]; then
systemctl stop containerd 2>/dev/null || true
mkfs.ext4 -q -F -m 0 -L cctl-copy "$device"
mkdir -p "$fresh"
mount "$device" "$fresh"
cp -a "$CONTAINERD/." "$fresh/"
umount "$fresh"
e2label "$device" cctl-data
fi
mount_disk "$device" cctl-data "$CONTAINERD"
}
find_data_disk() {
local device blank=''
while read -r device; do
case $(label_of "$device") in
cctl-data)
echo "$device"
return
;;
cctl-copy) blank=$device ;;
*) [[ -n $blank ]] || ! is_blank "$device" || blank=$device ;;
esac
done < <(cloud_data_disks)
echo "$blank"
}
ip_number() {
local a b c d
IFS=. read -r a b c d <<<"$1"
echo $(((a << 24) + (b << 16) + (c << 8) + d))
}
in_subnet() {
local bits=${2#*/} mask
mask=$((bits == 0 ? 0 : (0xffffffff << (32 - bits)) & 0xffffffff))
((($(ip_number "$1") & mask) == ($(ip_number "${2%/*}") & mask)))
}
node_ip() {
local address subnet
while read -r _ _ _ address _; do
address=${address%/*}
for subnet in $CCTL_NODE_SUBNETS; do
if in_subnet "$address" "$subnet"; then
echo "$address"
return
fi
done
done < <(ip -4 -o addr show scope global)
die "no address of this machine lies in a node subnet ($CCTL_NODE_SUBNETS)"
}
declare -A HOLES=()
hole() {
[[ $3 =~ ^($2)$ ]] || die "the $1 of this node is not usable: '${3:0:80}'"
HOLES[$1]=$3
}
fill() {
local document=$1 name
for name in "${!HOLES[@]}"; do
document=${document//"@@$name@@"/"${HOLES[$name]}"}
done
name=${document#*@@}
[[ $document != *@@* ]] || die "a document lacks the ${name%%@@*} of this node"
printf '%s\n' "$document"
}
IMDS=http://169.254.169.254
SSM_PATIENCE=300
imds() {
local token ask=(curl -sf --noproxy '*' -m 5 --retry 8)
token=$("${ask[@]}" --retry-all-errors -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$IMDS/latest/api/token") ||
die "no answer from the metadata service"
"${ask[@]}" -K <(printf 'header = "X-aws-ec2-metadata-token: %s"' "$token") "$IMDS/latest/meta-data/$1"
}
cloud_node_name() { imds local-hostname; }
cloud_provider_id() { echo "aws:///$(imds placement/availability-zone)/$(imds instance-id)"; }
cloud_topology() {
echo "topology.kubernetes.io/region=$CCTL_REGION,topology.kubernetes.io/zone=$(imds placement/availability-zone),node.kubernetes.io/instance-type=$(imds instance-type)"
}
cloud_disk() {
local path serial=${1//-/}
for path in "$SYS_BLOCK"/*; do
if [[ $(cat "$path/device/serial" 2>/dev/null) == "$serial"* ]]; then
echo "/dev/${path##*/}"
return
fi
done
return 1
}
cloud_data_disks() {
local path model serial
for path in "$SYS_BLOCK"/nvme*; do
model=$(cat "$path/device/model" 2>/dev/null) || continue
serial=$(cat "$path/device/serial" 2>/dev/null) || continue
case $CCTL_DATA_DISK:$model in
block:'Amazon Elastic Block Store'* | instance-store:'Amazon EC2 NVMe Instance Storage'*) ;;
*) continue ;;
esac
[[ -z $CCTL_ETCD_VOLUME || ${serial%% *} != "${CCTL_ETCD_VOLUME//-/}" ]] || continue
compgen -G "$path/${path##*/}p*" >/dev/null && continue
[[ -z $(ls -A "$path/holders" 2>/dev/null) ]] || continue
grep -qs "^/dev/${path##*/} " /proc/mounts && continue
echo "/dev/${path##*/}"
done
}
sha256() {
local sum
sum=$(sha256sum)
printf '%s' "${sum%% *}"
}
to_hex() { od -An -v -tx1 | tr -d ' \n'; }
hmac() {
local key=$1 inner='' outer='' sum i
while ((${#key} < 128)); do key+="00"; done
for ((i = 0; i < 128; i += 2)); do
printf -v inner '%s\\x%02x' "$inner" $((16#${key:i:2} ^ 0x36))
printf -v outer '%s\\x%02x' "$outer" $((16#${key:i:2} ^ 0x5c))
done
sum=$({ printf '%b' "$inner"; printf '%s' "$2"; } | sha256)
for ((i = 0; i < 64; i += 2)); do outer+="\\x${sum:i:2}"; done
printf '%b' "$outer" | sha256
}
sigv4() {
local scope="${5%T*}/$3/$4/aws4_request" names='' line request key part
while read -r line; do names+=";${line%%:*}"; done <<<"$6"
names=${names#;}
request=$'POST\n/\n\n'$6$'\n\n'$names$'\n'$(printf '%s' "$7" | sha256)
key=$(printf 'AWS4%s' "$2" | to_hex)
for part in "${5%T*}" "$3" "$4" aws4_request; do key=$(hmac "$key" "$part"); done
part=$(hmac "$key" "AWS4-HMAC-SHA256"$'\n'"$5"$'\n'"$scope"$'\n'"$(printf '%s' "$request" | sha256)")
printf 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' "$1" "$scope" "$names" "$part"
}
json_string() {
[[ $2 =~ \"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" ]] && printf '%s' "${BASH_REMATCH[1]}"
}
ssm_request() {
local role answer id secret token time host headers
host=${CCTL_SSM_ENDPOINT#*://}
role=$(imds iam/security-credentials/)
answer=$(imds "iam/security-credentials/${role%%$'\n'*}")
id=$(json_string AccessKeyId "$answer")
secret=$(json_string SecretAccessKey "$answer")
token=$(json_string Token "$answer")
TZ=UTC printf -v time '%(%Y%m%dT%H%M%SZ)T' -1
headers="content-type:application/x-amz-json-1.1
host:$host
x-amz-date:$time
x-amz-security-token:$token
x-amz-target:AmazonSSM.$1"
{
while read -r answer; do printf 'header = "%s"\n' "$answer"; done <<<"$headers"
printf 'header = "authorization: %s"\n' \
"$(sigv4 "$id" "$secret" "$CCTL_REGION" ssm "$time" "$headers" "$2")"
} | curl -s -m 20 -K - --data-binary @<(printf '%s' "$2") -w '\n%{http_code}' "$CCTL_SSM_ENDPOINT/"
}
ssm() {
local answer kind pause=1 deadline=$((SECONDS + SSM_PATIENCE))
while :; do
answer=$(ssm_request "$1" "$2") || answer=
if [[ ${answer##*$'\n'} == 200 ]]; then
printf '%s' "${answer%$'\n'*}"
return
fi
kind=$(json_string __type "$answer") || kind="status ${answer##*$'\n'}"
case $kind in
*ParameterNotFound) return 3 ;;
*ParameterAlreadyExists) return 4 ;;
*ValidationException | *ParameterMaxVersionLimitExceeded) die "ssm $1: $kind" ;;
esac
((SECONDS < deadline)) || die "ssm $1: $kind"
sleep "$pause"
pause=$((pause < 16 ? pause * 2 : 16))
done
}
ssm_put() {
ssm PutParameter "{\"Name\":\"/clusterctl/$CCTL_UID/$1\",\"Value\":\"$2\",\"Type\":\"SecureString\",\"Overwrite\":$3${CCTL_SSM_KEY:+,\"KeyId\":\"$CCTL_SSM_KEY\"}}" >/dev/null
}
secret_get() {
local answer
answer=$(ssm GetParameter "{\"Name\":\"/clusterctl/$CCTL_UID/$1\",\"WithDecryption\":true}") || return
json_string Value "$answer"
}
secret_put() { ssm_put "$1" "$2" true; }
secret_create() {
local code=0
ssm_put "$1" "$2" false || code=$?
((code == 4)) || return "$code"
[[ $(secret_get "$1") == "$2" ]] || return 4
}
secret_delete() {
local code=0
ssm DeleteParameter "{\"Name\":\"/clusterctl/$CCTL_UID/$1\"}" >/dev/null || code=$?
((code == 0 || code == 3))
}
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
sysctl -q -e -p /etc/sysctl.d/90-clusterctl.conf >/dev/null 2>&1 || PROTECT=false
[[ $(sysctl -n net.ipv4.ip_forward) == 1 ]] || die "net.ipv4.ip_forward cannot be switched on"
}
ensure_quiet() {
swapoff -a || true
[[ ! -e /etc/fstab ]] || sed -i -E '/^[^#]\S*\s+\S+\s+swap\s/ s/^/# clusterctl: /' /etc/fstab
local unit
for unit in firewalld ufw; do systemctl disable -q --now "$unit" 2>/dev/null || true; done
}
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
unit() {
if write_file "/etc/systemd/system/$1" 644; then systemctl daemon-reload; fi
}
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
kubernetes_fits() {
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
containerd_answers() { ctr version >/dev/null 2>&1; }
ensure_runtime() {
local changed='' systemd=false registry server mirror
[[ ! -d /run/systemd/system ]] || systemd=true
mkdir -p /etc/containerd/conf.d /etc/cni/net.d
containerd_config "$systemd" | write_file /etc/containerd/config.toml 644 && changed=1
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
unit kubelet.service.d/10-kubeadm.conf </dev/null
systemctl enable -q kubelet.service
}
cgroup_version() { if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then echo 2; else echo 1; fi; }
kubelet_patch() {
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
KUBEADM_LOG=/var/log/clusterctl-kubeadm.log
mask() { sed -E 's/[a-z0-9]{6}\.[a-z0-9]{16}/******/g'; }
kubeadm_run() {
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
join_material() {
local token hash expires
secret_read JOIN join/material
read -r token hash expires <<<"$JOIN"
[[ -n $expires ]] && ((expires > EPOCHSECONDS + 60)) || return 1
hole token '[a-z0-9]{6}\.[a-z0-9]{16}' "$token"
hole ca-hash 'sha256:[0-9a-f]{64}' "$hash"
}
api_answers() {
[[ $(curl -sk -m 5 --noproxy '*' "https://$CCTL_API_ENDPOINT:$CCTL_API_PORT/readyz") == ok ]]
}
secret_read() {
local _value _code=0
_value=$(secret_get "$2") || _code=$?
((_code == 0 || _code == 3)) || exit 1
printf -v "$1" '%s' "$_value"
}
forget_attempt() {
compgen -G '/etc/kubernetes/*.conf' >/dev/null || compgen -G '/etc/kubernetes/manifests/*' >/dev/null || return 0
say wait "clearing what an earlier attempt left"
kubeadm reset --force >>"$KUBEADM_LOG" 2>&1 </dev/null || die "kubeadm reset failed"
}
tighten() { chmod 600 /var/lib/kubelet/config.yaml /etc/kubernetes/*.conf; }
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
phase data-disk ensure_data_disk
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
*) die "unknown command $1" ;;
esac
}
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi
