#!/bin/bash
# TIMEOUT 400
# Recorder and collector against each other: every single switch, kill and jump, and some thousand random orders of
# their steps. The threads' own books, and the laws of tests/schedules/schedules.c, hold in all of them.
. "$TESTS/e2e/lib.sh"

"${PROGRAMS%/tests/programs}/schedules/schedules" --random 4000 >out 2>err || fail "$(grep -v ' point ' err)"
cat out
"$TESTS/schedules/mutate" --places || fail "tests/schedules/mutate is not up to date"
