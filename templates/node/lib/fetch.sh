@# Nothing is fetched that is already there. What is fetched is checked: against the pinned sha256, or, where the
   release table has none, against the checksum file the vendor publishes beside it. #@
architecture() {
  case $(uname -m) in
  x86_64) echo amd64 ;;
  aarch64) echo arm64 ;;
  *) die "no artifacts for the architecture $(uname -m)" ;;
  esac
}

download() { # PATH FILE
  local url=${CCTL_MIRROR:-https:/}/$1
  curl -fsSL --connect-timeout 10 --max-time 600 --retry 6 --retry-all-errors --retry-delay 2 -o "$2" "$url" ||
    die "cannot fetch $url"
}

fetch() { # NAME FILE
  local name arch path sum sums want
  want=$(architecture)
  while read -r name arch path sum sums; do
    [[ $name == "$1" && $arch == "$want" ]] || continue
    download "$path" "$2"
    if [[ $sum == - ]]; then
      download "$sums" "$2.sums"
      sum=$(published_sum "${path##*/}" <"$2.sums")
    fi
    echo "$sum  $2" | sha256sum --check --status || die "$path is not what its sha256 $sum says"
    return
  done <<<"$CCTL_ARTIFACTS"
  die "the release table has no $1 for $want"
}

@# A checksum file is either the sum alone or lines of sum and file name. #@
published_sum() { # FILE <sums
  local sum file rest
  while read -r sum file rest; do
    [[ $sum =~ ^[0-9a-f]{64}$ ]] || continue
    [[ -z $file || ${file#\*} == "$1" ]] || continue
    echo "$sum"
    return
  done
  die "no checksum of $1 in the file its vendor published"
}
