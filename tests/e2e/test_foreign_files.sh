#!/bin/bash
# What is no recording is never destroyed: not by -o, which refuses it, not while the program runs, not beside it.
. "$TESTS/e2e/lib.sh"

assert_precious() { # what, file
    assert_eq "$1" precious "$(cat "$2")"
}

echo precious >keep.txt
assert_refused 2 "$MPROF" run -o keep.txt touch started
assert_contains "run -o keep.txt" "keep.txt: is there, and no recording" refused.err
assert_precious "-o" keep.txt
[ ! -e started ] || fail "the program was started"
ln -s keep.txt link.txt
assert_refused 2 "$MPROF" run -o link.txt true
MPROF_OUTPUT=keep.txt assert_refused 2 "$MPROF" run true
mkdir folder
assert_refused 2 "$MPROF" run -o folder/../folder true
head -c 100000 /dev/zero >zeros
assert_refused 2 "$MPROF" run -o zeros true
assert_eq "files" "folder keep.txt link.txt refused.err refused.out zeros " "$(find . -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')"

# An empty file, a recording and one that is cut are replaced.
: >empty
run_as empty "$PROGRAMS/single" >out || fail "run -o empty: $?"
assert_eq "an empty file" 18 "$(json empty totals.allocations)"
run_as empty "$PROGRAMS/recursion" >out || fail "run again: $?"
assert_eq "again" "$PROGRAMS/recursion" "$(json empty command.0)"
truncate -s -100 empty
run_as empty "$PROGRAMS/single" >out || fail "run over a cut one: $?"
assert_eq "over a cut one" 18 "$(json empty totals.allocations)"

# One that comes while the program runs: the recording stays where it is.
"$MPROF" run -q -o late.mprof sh -c 'echo precious >late.mprof; echo precious >late.mprof.spool.txt' 2>err
assert_precious "a file that came late" late.mprof
assert_contains "late" "late.mprof" err
cp --sparse=always late.mprof.spool copy.mprof.spool || fail "no spool: $(ls)"
assert_at_least "late: allocations" 1 "$(json copy.mprof totals.allocations)"

# NAME.part of somebody else's, as browsers make them.
echo precious >movie.part
run_as movie "$PROGRAMS/single" >out 2>err
assert_precious "run: .part" movie.part
assert_eq "run beside movie.part" 18 "$(json movie totals.allocations)"
rm -f movie.spool movie
preload movie "$PROGRAMS/single" >out
assert_eq "preload beside movie.part" 18 "$(json movie totals.allocations)"
assert_precious "preload: .part" movie.part
