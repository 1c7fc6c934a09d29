#!/bin/bash
# sqlite3: a million allocations, the same as valgrind counts, both ways; the second reader agrees.
# TIMEOUT 500
. "$TESTS/e2e/lib.sh"

command=(sqlite3 :memory: ".read $TESTS/workloads/sqlite.sql")
assert_real_program 1000000 "${command[@]}"

valgrind --run-libc-freeres=no --run-cxx-freeres=no "${command[@]}" 2>valgrind.err >/dev/null
read -r allocations frees bytes < <(sed -n 's/,//g; s/^.*total heap usage: \([0-9]*\) allocs \([0-9]*\) frees \([0-9]*\) bytes.*$/\1 \2 \3/p' valgrind.err)
for name in preload run; do
    assert_eq "$name: allocations" "$allocations" "$(json $name.mprof totals.allocations)"
    assert_eq "$name: frees" "$frees" "$(json $name.mprof totals.frees)"
    assert_eq "$name: bytes" "$bytes" "$(json $name.mprof totals.allocated_bytes)"
done

preload again.mprof "${command[@]}" >/dev/null
"$TESTS/spool_reader.py" again.mprof.spool >reader.json || fail "the second reader: $(cat reader.json)"
for key in allocations frees allocated_bytes peak_bytes temporary live_at_end_blocks; do
    assert_eq "second reader: $key" "$(json again.mprof totals.$key)" "$(json_of processes.0.$key <reader.json)"
done
