#!/bin/bash
# free_sized of a library that comes down to free: found by dlsym as without us, and counted once.
. "$TESTS/e2e/lib.sh"

library=$PROGRAMS/sized_by_free
LD_PRELOAD=$library "$PROGRAMS/sized" >plain.out || fail "the program itself: $?"
assert_contains "the library's functions are called" "sized" plain.out
for way in preload run; do
    if [ $way = preload ]; then
        MPROF_OUTPUT=preload.mprof LD_PRELOAD=$LIB:$library "$PROGRAMS/sized" >$way.out
    else
        LD_PRELOAD=$library "$MPROF" run -q -o run.mprof -- "$PROGRAMS/sized" >$way.out
    fi
    assert_eq "$way: exit status" 0 $?
    assert_same "$way: output" plain.out $way.out
    assert_clean $way.mprof
    assert_eq "$way: allocations" 30 "$(json $way.mprof totals.allocations)"
    assert_eq "$way: frees" 30 "$(json $way.mprof totals.frees)"
done
