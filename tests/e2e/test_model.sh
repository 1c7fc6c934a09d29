#!/bin/bash
# The protocol of recorder and collector (doc/format.md, "The protocol") as a model: spin looks at all of its states
# and finds nothing; where one rule is broken it finds out.
# ALL
# TIMEOUT 3000
. "$TESTS/e2e/lib.sh"

command -v spin >/dev/null || skip "no spin"
"$TESTS/model/check" || fail "tests/model/check: status $?"
