@# Nothing is fetched that is already there, and nothing is used that is not what the pinned sha256 says. #@
fetch() { # NAME FILE
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
