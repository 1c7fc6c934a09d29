#!/bin/bash
# A program that lets in one advice for madvise, and kills for any other, becomes another program: the recorder
# would die of it there, so it stays away, and run says so.
. "$TESTS/e2e/lib.sh"

"$PROGRAMS/trap_sandbox" /bin/echo hello >plain.out || skip "no seccomp filters here"
preload preload.mprof "$PROGRAMS/trap_sandbox" /bin/echo hello >preload.out 2>preload.err
assert_eq "preload: status" 0 $?
assert_same "preload: output" plain.out preload.out
assert_eq "preload: standard error" "" "$(cat preload.err)"
run_as run.mprof "$PROGRAMS/trap_sandbox" /bin/echo hello >run.out 2>run.err
assert_eq "run: status" 0 $?
assert_same "run: output" plain.out run.out
assert_eq "run: sentences ($(cat run.err))" 1 "$(wc -l <run.err)"
assert_contains "run: why" "a filter of system calls" run.err
