@# The node's address is the one that lies in a node subnet: network cards come in any number and order. #@
ip_number() { # A.B.C.D
  local a b c d
  IFS=. read -r a b c d <<<"$1"
  echo $(((a << 24) + (b << 16) + (c << 8) + d))
}

in_subnet() { # ADDRESS CIDR
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
