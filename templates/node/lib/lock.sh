@# A lock made of create-if-absent alone. Each holder makes the next generation, lock/1, lock/2, ..., and rewrites only
   its own: "holder nonce beat", at last "free". Whoever sees the newest generation free, or without a beat for LEASE
   seconds of the watcher's own clock, may create the next one, and of those who try exactly one succeeds. No
   generation is ever deleted, so a slow watcher cannot create an old one again. #@
LEASE=180
BEAT=30
LOCK=
BEATER=

lock_newest() { # sets NEWEST and NEWEST_VALUE
  local value
  while :; do
    secret_read value "control-plane/lock/$((NEWEST + 1))"
    [[ -n $value ]] || break
    NEWEST=$((NEWEST + 1)) NEWEST_VALUE=$value
  done
  ((NEWEST == 0)) || secret_read NEWEST_VALUE "control-plane/lock/$NEWEST"
}

lock() {
  local seen='' since=$SECONDS nonce code next=$((SECONDS + 30))
  nonce=$(to_hex </proc/sys/kernel/random/uuid)
  NEWEST=0 NEWEST_VALUE=free
  while :; do
    lock_newest
    if [[ "$NEWEST $NEWEST_VALUE" != "$seen" ]]; then
      seen="$NEWEST $NEWEST_VALUE" since=$SECONDS
    fi
    @# Our own name on it is an earlier run of this machine: only one runs at a time here. #@
    if [[ $NEWEST_VALUE == free || $NEWEST_VALUE == "$NODE_NAME "* ]] || ((SECONDS - since >= LEASE)); then
      code=0
      secret_create "control-plane/lock/$((NEWEST + 1))" "$NODE_NAME $nonce 0" || code=$?
      case $code in
      0) break ;;
      4) continue ;;
      *) exit 1 ;;
      esac
    fi
    if ((SECONDS >= next)); then
      say wait "${NEWEST_VALUE%% *} is being set up first"
      next=$((SECONDS + 30))
    fi
    sleep 5
  done
  LOCK=$((NEWEST + 1))
  lock_beat "$NODE_NAME $nonce" 9>&- &
  BEATER=$!
}

lock_beat() { # VALUE
  local beat=0
  trap - EXIT ERR
  while sleep "$BEAT"; do
    beat=$((beat + 1))
    secret_put "control-plane/lock/$LOCK" "$1 $beat" || true
  done
}

@# Whoever was taken over must not go on. #@
still_ours() {
  local next
  secret_read next "control-plane/lock/$((LOCK + 1))"
  [[ -z $next ]] || die "took too long: ${next%% *} has taken over"
}

unlock() {
  [[ -n $LOCK ]] || return 0
  kill "$BEATER" 2>/dev/null || true
  wait "$BEATER" 2>/dev/null || true
  (SSM_PATIENCE=20; secret_put "control-plane/lock/$LOCK" free) || true
  LOCK=
}
