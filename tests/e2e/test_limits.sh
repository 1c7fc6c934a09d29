#!/bin/bash
# A spool that may not grow, a full disk: the program runs on, what is missing is counted and shown.
. "$TESTS/e2e/lib.sh"

# An event takes at least 4 bytes (doc/format.md), an allocation with its stack 6. Tests of loss go by these bounds: how
# many an event really takes depends on how fast the machine is, as the time between two is in it.

# At least 3.0 MB of events, where the tables leave 2.4 of 4 MiB.
MPROF_LIMIT=4 preload small.mprof "$PROGRAMS/exchange" || fail "status $? with MPROF_LIMIT=4"
lost=$(json small.mprof quality.lost)
assert_at_least "lost events" 1000 "$lost"
# Whatever was lost, 300,020 allocations and 300,016 frees are counted.
assert_eq "allocations" 300020 "$(json small.mprof totals.allocations)"
assert_eq "frees" 300016 "$(json small.mprof totals.frees)"
for command in report leaks peak; do
    "$MPROF" $command small.mprof >out 2>err || fail "$command: $(cat err)"
    grep -qi lost out err || fail "$command does not tell what was lost: $(cat out err)"
done
"$MPROF" plot -o small.svg small.mprof >out 2>err || fail "plot: $(cat err)"
grep -qi lost small.svg out err || fail "plot does not tell what was lost"

# No room at all: an empty spool that carries the reason.
MPROF_LIMIT=1 preload none.mprof "$PROGRAMS/single" >out || fail "status $? with MPROF_LIMIT=1"
assert_eq "output without a spool" "done" "$(cat out)"
"$MPROF" report none.mprof >out 2>err
[ $? -le 1 ] || fail "report of an empty spool: $(cat err)"
grep -q space out err || fail "why there is nothing is not told: $(cat out err)"

# Why, and how much it takes, in the words of what was too little.
assert_too_little() { # words, command..
    local words=$1
    shift
    "$@" "$MPROF" run -o little.mprof "$PROGRAMS/single" >out 2>err
    assert_eq "$*: status" 0 $?
    assert_contains "$*" "nothing was recorded: there is no space for a spool: $words" err
    assert_eq "$*: files left" "" "$(ls little.mprof* 2>/dev/null)"
}
for limit in 0 1 3 3.9; do
    assert_too_little "MPROF_LIMIT must be 4 (MiB) or more" env MPROF_LIMIT=$limit
done
limited() { (ulimit -f 100 && "$@"); }
assert_too_little "files may not grow to the 4 MiB that it needs (ulimit -f)" limited

# What is no size at all is refused by run; a library that is preloaded says nothing.
for limit in abc -1 4x 0x10 " 5" 1e3; do
    export MPROF_LIMIT=$limit
    assert_refused 2 "$MPROF" run -o wrong.mprof "$PROGRAMS/single"
    assert_contains "MPROF_LIMIT=$limit" "MPROF_LIMIT" refused.err
done
unset MPROF_LIMIT
for setting in SELFCHECK=often LIMIT=99999999999999999999 INTERVAL=x INTERVAL=-1 INTERVAL=1e3 FREE_STACKS=yes \
    CHILDREN=none CHILDREN=0: CHILDREN=0:x TREE=xyz; do
    assert_refused 2 env "MPROF_$setting" "$MPROF" run -o wrong.mprof "$PROGRAMS/single"
    assert_contains "$setting" "run: the variable MPROF_${setting%%=*}: '${setting#*=}' is not " refused.err
done
MPROF_LIMIT= run_as right.mprof "$PROGRAMS/single" >/dev/null || fail "an empty MPROF_LIMIT: status $?"

[ "$(id -u)" = 0 ] || skip "a full disk needs root to be made"
mkdir disk
mount -t tmpfs -o size=2m tmpfs disk 2>/dev/null || skip "a full disk needs the right to mount"
(cd disk && "$MPROF" run -o x.mprof "$PROGRAMS/single") >out 2>err
umount disk
assert_contains "a small disk" "no space for a spool: it may take half of what is free, and needs 4 MiB" err
mount -t tmpfs -o size=4m tmpfs disk 2>/dev/null || skip "a full disk needs the right to mount"
trap 'umount disk' EXIT
# 5 * 100,000 rounds of at least three events each: 6 MB, so that 1.8 MB and more are lost.
(cd disk && MPROF_LIMIT=64 MPROF_OUTPUT=full.mprof LD_PRELOAD=$LIB "$PROGRAMS/lossy" 4 100000) || fail "status $? on a full disk"
cp --sparse=always disk/full.mprof.spool . || fail "no spool on the full disk"
assert_eq "allocations on a full disk" 800004 "$(json full.mprof totals.allocations)"
assert_at_least "lost on a full disk" 1000 "$(json full.mprof quality.lost)"
