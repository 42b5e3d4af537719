@# One line per phase, for people and for `clusterctl`:
     clusterctl: phase=NAME state=start|wait|ok|failed elapsed=Ns [line=N] [message=to the end of the line]
   The fields and their order are read back by clusterctl-core's bootstrap::console. #@
RUN=/run/clusterctl
HOME_DIR=/usr/local/lib/clusterctl
CONSOLE=/dev/console
PHASE=setup
PHASE_START=0
FAILED_LINE=
FAILED_COMMAND=

say() { # STATE [MESSAGE] [LINE]
  local text=${2:-}
  text=${text//[^[:print:]]/ }
  text="clusterctl: phase=$PHASE state=$1 elapsed=$((SECONDS - PHASE_START))s${3:+ line=$3}${text:+ message=${text:0:300}}"
  printf '%s\n' "$text"
  { printf '%s\r\n' "$text" >"$CONSOLE"; } 2>/dev/null || true
}

phase() { # NAME COMMAND...
  PHASE=$1 PHASE_START=$SECONDS
  say start
  "${@:2}"
  say ok
}

@# A message survives the subshell it was written in, so that `x=$(f)` fails with f's words. #@
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

wait_until() { # SECONDS WHAT COMMAND...
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

@# Replaces a file only when its content differs; true when it did. #@
write_file() { # PATH MODE <content
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
