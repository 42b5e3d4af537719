@# The data disk is the one that already carries our label, or else a blank disk of the wanted kind. #@
CONTAINERD=/var/lib/containerd

ensure_data_disk() {
  local device fresh=$RUN/data
  ! mountpoint -q "$CONTAINERD" || return 0
  device=$(find_data_disk)
  if [[ -z $device ]]; then
    say wait "no empty data disk: containerd stays on the root disk"
    return
  fi
  @# Images baked into the root disk come along, else a node without a registry could start nothing. The label is
     set last, so that a copy that broke off is not taken for a disk of ours. #@
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
