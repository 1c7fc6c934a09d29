#!/bin/bash
# A descendant that run may not kill, as one with another user's rights: run ends all the same soon after the time limit.
. "$TESTS/e2e/lib.sh"
[ "$(id -u)" = 0 ] || skip "processes of another user need root"

# Without the capability root may signal its own processes only. The program ignores TERM, so that KILL is needed.
cat >program.sh <<'END'
setpriv --reuid=65534 --regid=65534 --clear-groups sleep 40 >/dev/null 2>&1 &
echo $! >other
trap '' TERM
while :; do sleep 0.1; done
END
setpriv --bounding-set=-kill true || skip "the capability cannot be given up"
begin=$SECONDS
setpriv --bounding-set=-kill "$MPROF" run -q -t 1 -o limit.mprof sh ./program.sh >out 2>&1
status=$?
took=$((SECONDS - begin))
other=$(cat other)
grep -q '^Uid:.65534' "/proc/$other/status" || fail "the other user's process is gone or was never there"
kill -KILL "$other"
assert_eq "status after the time limit ($(cat out))" 124 $status
[ $took -lt 15 ] || fail "run ended only after $took s"
