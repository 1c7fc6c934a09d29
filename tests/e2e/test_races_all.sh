#!/bin/bash
# ALL
# TIMEOUT 3000
# ALONE
# The same, beside four busy loops, and as the program is built.
. "$TESTS/e2e/lib.sh"

"$TESTS/e2e/races.py" --runs 40 --busy 4 --build "${PROGRAMS%/tests/programs}" || fail "see above"
"$TESTS/e2e/races.py" --runs 40 --busy 4 --plain --build "${PROGRAMS%/tests/programs}" || fail "see above"
