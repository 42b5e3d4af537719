@# The cluster's keys. Each unit (a CA with its key, ...) is made by whichever node is first to publish it with
   create-if-absent, so all nodes may try at once and all end with the same keys. A unit is sealed with a key that
   lies under the same control-plane-only path; a copy stays on the etcd disk for the machine that comes after. #@
PKI=/etc/kubernetes/pki

unit_files() { # UNIT
  case $1 in
  ca) echo ca.crt ca.key ;;
  front-proxy-ca) echo front-proxy-ca.crt front-proxy-ca.key ;;
  etcd-ca) echo etcd/ca.crt etcd/ca.key ;;
  sa) echo sa.key sa.pub ;;
  encryption) echo encryption.key ;;
  esac
}
PKI_UNITS='ca front-proxy-ca etcd-ca sa encryption'

make_unit() { # UNIT DIRECTORY
  if [[ $1 == encryption ]]; then
    mkdir -p "$2"
    openssl rand -base64 32 >"$2/encryption.key"
  else
    hole certificates '/.*' "$2"
    kubeadm_run "$CCTL_INIT" init phase certs "$1" || exit 1
    hole certificates '/.*' "$PKI"
  fi
}

@# The sealing key comes by a pipe; that what comes out is whole, tar and gzip notice. #@
seal() { # KEY [-d] <data
  openssl enc "${@:2}" -aes-256-cbc -pbkdf2 -base64 -A -pass fd:3 3< <(printf '%s' "$1")
}

ensure_pki() {
  local key name value unit files stage=$RUN/pki
  umask 077
  mkdir -p "$PKI/etcd"
  if [[ -s $ETCD/clusterctl/pki/ca.key ]]; then
    cp -a "$ETCD/clusterctl/pki/." "$PKI/"
    umask 022
    return
  fi
  secret_read key control-plane/key
  if [[ -z $key ]]; then
    secret_create control-plane/key "$(openssl rand -hex 32)" || (($? == 4)) || exit 1
    secret_read key control-plane/key
  fi
  for unit in $PKI_UNITS; do
    secret_read value "control-plane/pki/$unit"
    if [[ -z $value ]]; then
      rm -rf "$stage"
      make_unit "$unit" "$stage"
      read -ra files < <(unit_files "$unit")
      value=$(tar -C "$stage" -cz "${files[@]}" | seal "$key")
      if ! secret_create "control-plane/pki/$unit" "$value"; then secret_read value "control-plane/pki/$unit"; fi
      rm -rf "$stage"
    fi
    printf '%s' "$value" | seal "$key" -d | tar -C "$PKI" -xz || die "the sealed $unit cannot be opened"
  done
  rm -rf "$ETCD/clusterctl/pki.new"
  for unit in $PKI_UNITS; do
    for name in $(unit_files "$unit"); do
      install -D -m 600 "$PKI/$name" "$ETCD/clusterctl/pki.new/$name"
    done
  done
  mv "$ETCD/clusterctl/pki.new" "$ETCD/clusterctl/pki"
  sync -f "$ETCD"
  umask 022
}

ca_hash() {
  printf 'sha256:'
  openssl x509 -in "$PKI/ca.crt" -pubkey -noout | openssl pkey -pubin -outform der | sha256
}
