#!/bin/bash
# TIMEOUT 300
# Threads and collector stand still where it hurts: nothing is lost, cut, unmatched or implied.
. "$TESTS/e2e/lib.sh"

"$TESTS/e2e/races.py" --runs 3 --build "${PROGRAMS%/tests/programs}" || fail "see above"
