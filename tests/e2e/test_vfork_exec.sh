#!/bin/bash
# Hundreds of vforked children become programs, with an environment that is written anew for them: their parent keeps
# nothing of that. Its library has a relative name, which becomes an absolute one; or none is rewritten; or the exec fails.
. "$TESTS/e2e/lib.sh"

cp "$LIB" libmprof.so
check() { # name, library, program, status
    "$PROGRAMS/vfork_exec" "$3" "$4" || fail "plain: status $?"
    MPROF_CHILDREN=0 MPROF_OUTPUT=$1.mprof LD_PRELOAD=$2 "$PROGRAMS/vfork_exec" "$3" "$4"
    assert_eq "$1: status (1: memory is left, 2: a child)" 0 $?
    assert_eq "$1: allocations" 1 "$(json "$1.mprof" totals.allocations)"
    assert_clean "$1.mprof"
}
check rewritten ./libmprof.so /bin/true 0
check same "$LIB" /bin/false 1
check missing ./libmprof.so /nonexistent 9
