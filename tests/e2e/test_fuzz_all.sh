#!/bin/bash
# ALL
# TIMEOUT 1800
# ALONE
# Every fuzz target for a minute, with inputs that are new each time. A finding is printed, in base64: it belongs into
# tests/data/fuzz once its cause is mended.
. "$TESTS/e2e/lib.sh"

build=$(dirname "$MPROF")
[ -x "$build/fuzz/fuzz_decode" ] || build=$build/..
"$TESTS/fuzz/run" --build "$build" --seconds 60 --work "$PWD" >out 2>&1 || fail "$(cat out)"
cat out
