#!/bin/bash
# A forked child that did nothing is given up by the live collector after two seconds; it is in the recording all
# the same, and so are the blocks that it inherited.
. "$TESTS/e2e/lib.sh"

run_as idle.mprof "$PROGRAMS/lossy" idle 3.5 || fail "mprof-c run: status $?"
assert_eq "children" 1 "$(json idle.mprof children | grep -o '"kind": "fork"' | wc -l)"
assert_eq "the child's allocations" 0 "$(json idle.mprof children.0.totals.allocations)"
assert_clean idle.mprof
