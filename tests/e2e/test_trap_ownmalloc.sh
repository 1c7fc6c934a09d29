#!/bin/bash
# A program whose own malloc calls mmap, syscall and prctl with its lock held: nothing of ours may call it back.
. "$TESTS/e2e/lib.sh"

timeout 20 "$PROGRAMS/trap_ownmalloc" >plain || fail "the program itself: $?"
assert_eq "its output" "1 0 clear" "$(cat plain)"
timeout 20 env MPROF_OUTPUT=preload.mprof LD_PRELOAD="$LIB" "$PROGRAMS/trap_ownmalloc" >out || fail "status $? with the library"
assert_same "output with the library" plain out
timeout 20 "$MPROF" run -q -o run.mprof "$PROGRAMS/trap_ownmalloc" >out 2>err || fail "status $? under run: $(cat err)"
assert_same "output under run" plain out
assert_eq "sentences under run ($(cat err))" 1 "$(wc -l <err)"
assert_contains "what run says" "trap_ownmalloc: has an allocator of its own linked in" err
for name in preload run; do
    assert_eq "its pool ($name)" 16777216 "$(json $name.mprof totals.mapped_peak_bytes)"
    assert_eq "lost ($name)" 0 "$(json $name.mprof quality.lost)"
done
