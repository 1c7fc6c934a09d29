#!/bin/bash
# TIMEOUT 600
# ALONE
# Every fuzz target: its corpus, which holds each input that ever was a finding, and some thousand new inputs, always
# the same: what is new each time is for test_fuzz_all.sh.
. "$TESTS/e2e/lib.sh"

build=$(dirname "$MPROF")
[ -x "$build/fuzz/fuzz_decode" ] || build=$build/..
mkdir work
"$TESTS/fuzz/run" --build "$build" --seconds 60 --inputs 3000 --work work >out 2>&1 || fail "$(cat out)"
cat out
for each in "$TESTS"/fuzz/fuzz_*.c; do
    name=$(basename "$each" .c)
    inputs=$(sed -n "s/^$name: \([0-9]*\) inputs.*/\1/p" out)
    assert_at_least "inputs of $name" "$(find "$TESTS/data/fuzz/${name#fuzz_}" -type f | wc -l)" "${inputs:-0}"
done
