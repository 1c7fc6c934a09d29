#!/bin/bash
# Stacks side by side, without guard pages, are one to whoever only asks which pages are there; one of them goes.
. "$TESTS/e2e/lib.sh"

for way in unmap protect move replace end; do
    out=$("$PROGRAMS/trap_switch" $way) || fail "$way: without recording: $out"
    out=$(preload $way.mprof "$PROGRAMS/trap_switch" $way) || fail "$way: status $?"
    assert_eq "$way" "done 320" "$out"
    out=$("$MPROF" run -q -o $way.run.mprof -- "$PROGRAMS/trap_switch" $way) || fail "$way (run): status $?"
    assert_eq "$way (run)" "done 320" "$out"
    for name in $way.mprof $way.run.mprof; do
        assert_at_least "$name: allocations" 320 "$(json $name totals.allocations)"
        assert_eq "$name: lost" 0 "$(json $name quality.lost)"
    done
    out=$(MPROF_SELFCHECK=1 preload $way.check.mprof "$PROGRAMS/trap_switch" $way) || fail "$way (self-check): status $?"
    assert_at_least "$way: stacks compared" 320 "$(json $way.check.mprof quality.selfcheck_compared)"
    assert_eq "$way: differences" 0 "$(json $way.check.mprof quality.selfcheck_differences)"
done
