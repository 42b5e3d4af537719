@# AWS: who this machine is, which disk is which, and the secret store (SSM parameters under /clusterctl/UID/).
   Another cloud answers the same functions:
     cloud_node_name, cloud_topology, cloud_provider_id, cloud_disk ID, cloud_data_disks
     secret_get NAME             prints the value; 3 when there is none
     secret_create NAME VALUE    4 when somebody else was first
     secret_put NAME VALUE
     secret_delete NAME
   Values are base64, hex, or words and blanks: nothing that JSON would have to escape. #@
IMDS=http://169.254.169.254
SSM_PATIENCE=300

imds() { # PATH
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

@# An NVMe disk says its volume id as its serial number, without the dash. #@
cloud_disk() { # VOLUME-ID
  local path serial=${1//-/}
  for path in "$SYS_BLOCK"/*; do
    if [[ $(cat "$path/device/serial" 2>/dev/null) == "$serial"* ]]; then
      echo "/dev/${path##*/}"
      return
    fi
  done
  return 1
}

@% if data_disk != "none" %@
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
    @# A disk with partitions or with something on top of it (the root disk) is in use. #@
    compgen -G "$path/${path##*/}p*" >/dev/null && continue
    [[ -z $(ls -A "$path/holders" 2>/dev/null) ]] || continue
    grep -qs "^/dev/${path##*/} " /proc/mounts && continue
    echo "/dev/${path##*/}"
  done
}
@% endif %@

sha256() {
  local sum
  sum=$(sha256sum)
  printf '%s' "${sum%% *}"
}

to_hex() { od -An -v -tx1 | tr -d ' \n'; }

@# HMAC of RFC 2104 from builtins and sha256sum: no key is ever an argument of a process. Keys have up to 64 bytes. #@
hmac() { # HEX-KEY TEXT
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

@# AWS Signature Version 4. HEADERS are sorted lines name:value. Prints the value of the Authorization header.
   docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html #@
sigv4() { # KEY-ID SECRET REGION SERVICE TIME HEADERS BODY: of a POST to /
  local scope="${5%T*}/$3/$4/aws4_request" names='' line request key part
  while read -r line; do names+=";${line%%:*}"; done <<<"$6"
  names=${names#;}
  request=$'POST\n/\n\n'$6$'\n\n'$names$'\n'$(printf '%s' "$7" | sha256)
  key=$(printf 'AWS4%s' "$2" | to_hex)
  for part in "${5%T*}" "$3" "$4" aws4_request; do key=$(hmac "$key" "$part"); done
  part=$(hmac "$key" "AWS4-HMAC-SHA256"$'\n'"$5"$'\n'"$scope"$'\n'"$(printf '%s' "$request" | sha256)")
  printf 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s' "$1" "$scope" "$names" "$part"
}

json_string() { # NAME JSON
  [[ $2 =~ \"$1\"[[:space:]]*:[[:space:]]*\"([^\"]*)\" ]] && printf '%s' "${BASH_REMATCH[1]}"
}

@# One signed request, without a secret on any command line. Prints the HTTP status, then the body. #@
ssm_request() { # ACTION BODY
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

@# Prints the answer; 3 when the parameter is absent, 4 when it exists; waits out everything that may pass
   (throttling, rights that have not spread yet, a lost answer) and dies after SSM_PATIENCE seconds. #@
ssm() { # ACTION BODY
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

ssm_put() { # NAME VALUE OVERWRITE
  ssm PutParameter "{\"Name\":\"/clusterctl/$CCTL_UID/$1\",\"Value\":\"$2\",\"Type\":\"SecureString\",\"Overwrite\":$3${CCTL_SSM_KEY:+,\"KeyId\":\"$CCTL_SSM_KEY\"}}" >/dev/null
}

secret_get() { # NAME
  local answer
  answer=$(ssm GetParameter "{\"Name\":\"/clusterctl/$CCTL_UID/$1\",\"WithDecryption\":true}") || return
  json_string Value "$answer"
}

secret_put() { ssm_put "$1" "$2" true; }

@# The answer of a create may have been lost: then the value that is there is ours. #@
secret_create() { # NAME VALUE
  local code=0
  ssm_put "$1" "$2" false || code=$?
  ((code == 4)) || return "$code"
  [[ $(secret_get "$1") == "$2" ]] || return 4
}

secret_delete() { # NAME
  local code=0
  ssm DeleteParameter "{\"Name\":\"/clusterctl/$CCTL_UID/$1\"}" >/dev/null || code=$?
  ((code == 0 || code == 3))
}
