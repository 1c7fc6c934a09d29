#!/bin/bash
# TIMEOUT 600
# The analyzer with ASan and UBSan: unit tests and cases of what reads files. All of them run in make
# check-sanitized.
. "$TESTS/e2e/lib.sh"

sanitized=$(dirname "$MPROF")/asan
[ -x "$sanitized/mprof-c" ] || skip "this is the sanitized build"
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
unset MPROF LIB PROGRAMS

some() { # name, group
    "$TESTS/run" --build "$sanitized" --patience 6 --only "$1" "$2" >out 2>&1 || fail "$1: $(tail -n 60 out)"
}

for name in collect segment recording report_view gnuplot options match spool_file symbols text selfcheck; do
    some "unit test_$name" unit
done
for name in "victim fork (run)" "victim inlines (preload)" "e2e data" "e2e bad_input"; do
    some "$name" e2e
done
