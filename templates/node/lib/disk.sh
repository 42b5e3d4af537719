@# A disk is found by the cloud's id, never by its device name. It is formatted only when it is blank, and blank means:
   blkid finds no signature, and the first and the last MiB could be read and hold zeros only. #@
is_blank() { # DEVICE
  local code=0 size
  blkid -p "$1" >/dev/null 2>&1 || code=$?
  ((code == 2)) || return 1
  size=$(blockdev --getsize64 "$1") || die "cannot read $1"
  ((size >= 2097152)) || return 1
  zeros "$1" 0 && zeros "$1" $((size / 1048576 - 1))
}

zeros() { # DEVICE MIB
  local left
  left=$(set -o pipefail; dd if="$1" bs=1M skip="$2" count=1 status=none | tr -d '\0' | wc -c) || die "cannot read $1"
  ((left == 0))
}

label_of() { blkid -p -s LABEL -o value "$1" 2>/dev/null || true; }

mount_disk() { # DEVICE LABEL DIRECTORY
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
