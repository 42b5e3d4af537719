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

make_authority() { # FILE NAME
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$2" \
    -keyout "$1.key" -out "$1.crt" -addext keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign \
    -addext basicConstraints=critical,CA:TRUE -addext "subjectAltName=DNS:$2" 2>/dev/null
}

make_unit() { # UNIT DIRECTORY
  mkdir -p "$2/etcd"
  case $1 in
  ca) make_authority "$2/ca" kubernetes ;;
  front-proxy-ca) make_authority "$2/front-proxy-ca" front-proxy-ca ;;
  etcd-ca) make_authority "$2/etcd/ca" etcd-ca ;;
  sa)
    @# RSA, because not every cloud's token exchange takes another signature. #@
    openssl genrsa -out "$2/sa.key" 2048 2>/dev/null
    openssl rsa -in "$2/sa.key" -pubout -out "$2/sa.pub" 2>/dev/null
    ;;
  encryption) openssl rand -base64 32 >"$2/encryption.key" ;;
  esac
}

@# Encrypted, then authenticated: "base64 of AES-256-CBC" ":" "HMAC of that". The key comes by a pipe. #@
seal() { # KEY <data
  local text
  text=$(openssl enc -aes-256-cbc -pbkdf2 -salt -base64 -A -pass fd:3 3< <(printf '%s' "$1"))
  printf '%s:%s' "$text" "$(hmac "$1" "$text")"
}

unseal() { # KEY TEXT >data
  [[ $(hmac "$1" "${2%:*}") == "${2##*:}" ]] || die "a sealed key does not fit the sealing key"
  printf '%s' "${2%:*}" | openssl enc -d -aes-256-cbc -pbkdf2 -base64 -A -pass fd:3 3< <(printf '%s' "$1")
}

ensure_pki() {
  local key name value unit listing files stage=$RUN/pki
  declare -A sealed=()
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
  listing=$(secret_list control-plane/pki)
  while read -r name value; do [[ -z $name ]] || sealed[${name##*/}]=$value; done <<<"$listing"
  for unit in $PKI_UNITS; do
    if [[ -z ${sealed[$unit]:-} ]]; then
      rm -rf "$stage"
      make_unit "$unit" "$stage"
      read -ra files < <(unit_files "$unit")
      value=$(tar -C "$stage" -cz "${files[@]}" | seal "$key")
      if ! secret_create "control-plane/pki/$unit" "$value"; then secret_read value "control-plane/pki/$unit"; fi
      sealed[$unit]=$value
      rm -rf "$stage"
    fi
    unseal "$key" "${sealed[$unit]}" | tar -C "$PKI" -xz
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
