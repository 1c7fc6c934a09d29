#!/bin/bash
# ALL
# TIMEOUT 9000
# The same with two switches at pairs of points, many more random orders, and each fault put back.
. "$TESTS/e2e/lib.sh"

"${PROGRAMS%/tests/programs}/schedules/schedules" --pairs --random 60000 >out 2>err || fail "$(grep -v ' point ' err)"
cat out
"$TESTS/schedules/mutate" || fail "a fault was put back and not found"
