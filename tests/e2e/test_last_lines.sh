#!/bin/bash
# The last lines of run name what is not in its recordings: a program without the recorder, a spool that was cut or is gone.
. "$TESTS/e2e/lib.sh"

assert_says() { # what, text
    assert_contains "$1" "$2" err
}

# What a process became that has no recording: the program itself, a child; none where all are recorded.
"$MPROF" run -o root.mprof env -i "$PROGRAMS/single" >out 2>err || fail "env -i: $?"
assert_says "env -i" "  not recorded what process $(json root.mprof pid) became: $PROGRAMS/single"
echo 'int main(void) { return 0; }' | gcc -static -x c -o static - || fail "gcc -static"
"$MPROF" run -o child.mprof bash -c "./static; ./static; $PROGRAMS/single; true" >out 2>err || fail "a static child: $?"
grep -qE '^  not recorded what process [0-9]+ became: ./static, and 1 more$' err || fail "a static child: $(cat err)"
"$MPROF" run -o all.mprof bash -c "$PROGRAMS/single; exec $PROGRAMS/single" >out 2>err || fail "all recorded: $?"
! grep -q "not recorded" err || fail "all recorded: $(cat err)"
# A child that could not begin is told as such, and once.
"$MPROF" run -o refused.mprof dash -c "MPROF_LIMIT=1 $PROGRAMS/single; :" >out 2>err || fail "refused: $?"
assert_says refused "1 process of the family could not be recorded"
! grep -q "not recorded" err || fail "refused, told twice: $(cat err)"
"$MPROF" run -q -o quiet.mprof env -i "$PROGRAMS/single" >out 2>err || fail "quiet: $?"
assert_eq "quiet" "" "$(cat err)"

# Who empties a spool in use kills its program: the kernel's doing. What was read before is there, and said to be cut.
cat >slow.c <<'END'
#include <stdlib.h>
#include <unistd.h>
static void *volatile kept;
int main(void)
{
    for (int i = 0; i < 600; i++) {
        for (int k = 0; k < 1000; k++)
            kept = malloc(10);
        usleep(10000);
    }
    return 0;
}
END
gcc -o slow slow.c || fail gcc
"$MPROF" run -o cut.mprof ./slow >out 2>err &
run=$!
sleep 1
: >cut.mprof.spool
wait $run
assert_eq "signal of a program whose spool was emptied" 135 $?
assert_says "cut" "  cut          cut.mprof: its spool was damaged while it was written"
assert_at_least "cut: allocations" 1000 "$(json cut.mprof totals.allocations 2>/dev/null)"

# The folder of the recording goes while it is written.
mkdir gone
here=$PWD
"$MPROF" run -o gone/x.mprof bash -c "$PROGRAMS/single >/dev/null; rm -rf $here/gone; $PROGRAMS/single >/dev/null; true" 2>err || fail "gone: $?"
assert_says gone "gone/x.mprof: its spool is gone, and with it what it recorded"
! grep -qE "stays in|look at it" err || fail "gone: $(cat err)"

# An empty file that no recorder made; one process is no family.
: >empty
assert_refused 1 "$MPROF" report empty
assert_contains empty "empty: is empty: there is no recording in it" refused.err
preload one.mprof "$PROGRAMS/single" >/dev/null
"$MPROF" report --tree one.mprof >out || fail "report --tree"
! grep -q "1 process together" out || fail "one process: $(head -n 5 out)"
assert_contains one "one process alone" out
