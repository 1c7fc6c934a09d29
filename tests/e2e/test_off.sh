#!/bin/bash
# Where nothing is recorded (in children that are left alone, and where the recorder could not begin) hooks make no system
# call: a thread behind a filter that kills for nearly all of them does not notice us.
. "$TESTS/e2e/lib.sh"

for way in self child self-thread child-thread; do
    out=$("$PROGRAMS/trap_off" $way)
    assert_eq "$way, plain" "0 done" "$? $out"
    out=$(preload missing/off.mprof "$PROGRAMS/trap_off" $way)
    assert_eq "$way, where no recording can begin" "0 done" "$? $out"
done
for way in child child-thread; do
    out=$(MPROF_CHILDREN=0 preload "$way.mprof" "$PROGRAMS/trap_off" $way)
    assert_eq "$way that is left alone" "0 done" "$? $out"
    [ -e "$way.mprof.spool" ] || fail "$way: its parent has no recording"
done
