#!/bin/bash
# The MPROF_ variables, stacks of frees, and a recorder that can do nothing.
. "$TESTS/e2e/lib.sh"

# With stacks of frees the figures are the same, and a reader who knows the bit reads them.
MPROF_FREE_STACKS=1 preload stacks.mprof "$PROGRAMS/threads"
"$TESTS/spool_reader.py" stacks.mprof.spool >reader.json || fail "the second reader: $(cat reader.json)"
assert_eq "allocations" 40 "$(json stacks.mprof totals.allocations)"
assert_eq "frees" 32 "$(json stacks.mprof totals.frees)"
assert_clean stacks.mprof

# No samples of the resident set.
MPROF_INTERVAL=0 preload silent.mprof "$PROGRAMS/single" >/dev/null
assert_eq "resident set" 0 "$(json silent.mprof totals.rss_peak_bytes)"

# Nor by run, unless -T says otherwise; in a tree that is recorded the variable is that tree's.
samples() { # recording
    "$MPROF" report --json --tree "$1" | json_of totals.rss_peak_bytes
}
MPROF_INTERVAL=0 run_as silent.mprof "$PROGRAMS/single" >/dev/null || fail "run without samples: $?"
assert_eq "resident set, run" 0 "$(samples silent.mprof)"
MPROF_INTERVAL=0 "$MPROF" run -q -T 0.01 -o sampled.mprof sleep 0.3 || fail "run with -T: $?"
assert_at_least "resident set, run -T" 4096 "$(samples sampled.mprof)"
"$MPROF" run -q -T 0 -o outer.mprof "$MPROF" run -q -o within.mprof sleep 0.3 || fail "run within run: $?"
assert_at_least "resident set, run within run" 4096 "$(samples within.mprof)"

# Nonsense in a variable, a folder that is not there: the program neither notices nor is told.
for setting in MPROF_INTERVAL=soon MPROF_LIMIT=-3 MPROF_OUTPUT=no/such/folder/x.mprof MPROF_OUTPUT= MPROF_TREE=xyz; do
    env $setting LD_PRELOAD="$LIB" "$PROGRAMS/single" >out 2>err || fail "$setting: status $?"
    assert_eq "$setting: output" "done" "$(cat out)"
    assert_eq "$setting: standard error" "" "$(cat err)"
done

# An empty environment but for the library; a program that clears its environment.
env -i LD_PRELOAD="$LIB" MPROF_OUTPUT=bare.mprof "$PROGRAMS/single" >/dev/null || fail "bare environment"
assert_eq "bare" 18 "$(json bare.mprof totals.allocations)"

# run inside run: the program has its recording; mprof-c itself is left alone.
run_as outer.mprof "$MPROF" run -q -o inner.mprof "$PROGRAMS/single" >/dev/null 2>err || fail "run inside run: $?"
assert_eq "inner" 18 "$(json inner.mprof totals.allocations)"
assert_clean inner.mprof
