#!/bin/bash
# The self-check from the setting to the report: it is off, it tells what differs, it stays out of the way.
. "$TESTS/e2e/lib.sh"

# Off by default, and by what is no number.
preload off.mprof "$PROGRAMS/recursion" >plain.out || fail "status $? without"
MPROF_SELFCHECK=x preload x.mprof "$PROGRAMS/recursion" >/dev/null || fail "status $? with x"
assert_eq "counts without the setting" "0 0" "$(selfcheck_counts off.mprof)"
assert_eq "counts with nonsense" "0 0" "$(selfcheck_counts x.mprof)"
! "$MPROF" report off.mprof | grep self-check || fail "the report tells of a self-check that was not"

# Every stack, every tenth; the figures are the same.
MPROF_SELFCHECK=1 preload one.mprof "$PROGRAMS/recursion" >one.out || fail "status $? with 1"
MPROF_SELFCHECK=10 preload ten.mprof "$PROGRAMS/recursion" >/dev/null || fail "status $? with 10"
assert_same "output" plain.out one.out
assert_eq "every stack" "110 0" "$(selfcheck_counts one.mprof)"
assert_eq "every tenth" "11 0" "$(selfcheck_counts ten.mprof)"
"$MPROF" report one.mprof >one.report
assert_contains "report" "self-check    110 stacks compared, none differs" one.report
for name in one ten; do
    for key in allocations frees allocated_bytes peak_bytes live_at_end_blocks temporary; do
        assert_eq "$name: $key" "$(json off.mprof totals.$key)" "$(json $name.mprof totals.$key)"
    done
    assert_clean $name.mprof
done

# errno, descriptors, limits and locked memory are as without.
"$PROGRAMS/guest" >plain.out || fail "guest"
MPROF_SELFCHECK=50 preload guest.mprof "$PROGRAMS/guest" >guest.out || fail "status $? of guest"
assert_same "what guest says of its descriptors" plain.out guest.out
assert_eq "stacks of guest" "1000 0" "$(selfcheck_counts guest.mprof)"

# With mprof-c run; a forked child counts for itself.
MPROF_SELFCHECK=1 run_as fork.mprof "$PROGRAMS/fork" >/dev/null
assert_eq "self-check of a child" 0 "$(json fork.mprof children.0.quality.selfcheck_differences)"
assert_at_least "stacks of a child" 1 "$(json fork.mprof children.0.quality.selfcheck_compared)"

# A difference is told with both stacks; libunwind takes without_fp for the outermost frame.
MPROF_SELFCHECK=1 preload differ.mprof "$PROGRAMS/disagree" >/dev/null || fail "status $? of disagree"
cp --sparse=always differ.mprof.spool copy.spool
assert_eq "counts of disagree" "8 5" "$(selfcheck_counts differ.mprof)"
assert_clean differ.mprof
"$MPROF" report -n 0 differ.mprof >differ.report
assert_contains "report" "self-check    8 stacks compared, 5 differ" differ.report
assert_eq "stacks in the report" "5 5" "$(grep -c "ours, inn" differ.report) $(grep -c "libunwind's" differ.report)"
names() { json differ.mprof "selfcheck.0.$1" | grep -oE '[a-z_]+ \(' | tr -d ' (' | tr '\n' ' '; }
assert_eq "frames of ours" "leaf without_fp main" "$(names ours | cut -d' ' -f1-3)"
assert_eq "frames of libunwind's" "leaf without_fp " "$(names libunwind)"
"$TESTS/spool_reader.py" copy.spool >reader.json || fail "the second reader: $(cat reader.json)"
assert_eq "second reader: compared" 8 "$(json_of processes.0.selfcheck_compared <reader.json)"
assert_eq "second reader: differences" 5 "$(json_of processes.0.selfcheck_differences <reader.json)"
assert_eq "second reader: labels" 5 "$(json_of processes.0.selfcheck_labels <reader.json)"

# A library that is rebuilt and loaded where it was before: other code, other frames; another build id, or none, or
# the same one.
cat >part.c <<'END'
static __attribute__((noinline)) void inner(void (*f)(void))
{
    char room[SIZE];
    __asm__ volatile("" : : "r"(room) : "memory");
    f();
    __asm__ volatile("" : : "r"(room) : "memory");
}
void enter(void (*f)(void)) { inner(f); __asm__ volatile(""); }
END
for id in sha1 none 0x01; do
    for size in 1000 3000; do
        gcc -shared -fPIC -O2 -fomit-frame-pointer -Wl,--build-id=$id -DSIZE=$size -o $size.so part.c || fail "gcc"
    done
    MPROF_SELFCHECK=1 preload rebuilt$id.mprof "$PROGRAMS/rebuilt" 1000.so 3000.so >out
    status=$?
    [ $status = 3 ] && skip "the library did not come to lie at the same address"
    assert_eq "status of rebuilt" "0 done" "$status $(cat out)"
    read -r compared differ < <(selfcheck_counts rebuilt$id.mprof)
    assert_eq "differences with a rebuilt library, build id $id" 0 "$differ"
    assert_at_least "stacks of it" 400 "$compared"
    assert_eq "truncated stacks, build id $id" 0 "$(json rebuilt$id.mprof quality.truncated_stacks)"
done
