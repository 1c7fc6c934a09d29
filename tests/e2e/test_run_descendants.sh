#!/bin/bash
# What becomes of the processes that a program starts: the time limit, orphans, a spool that cannot be completed.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"

# The time limit ends all descendants, also one that left the session and one that ignores TERM.
cat >family.sh <<'END'
sleep 301 &
echo $! >>pids
setsid sleep 302 &
echo $! >>pids
sh -c 'trap "" TERM; echo $$ >>pids; while :; do sleep 303; done' &
trap '' TERM
while :; do sleep 0.1; done
END
"$MPROF" run -q -t 4 -o limit.mprof sh ./family.sh
assert_eq "status after the time limit" 124 $?
sleep 0.2
runs() { # a zombie that nobody waits for does not
    [ -r "/proc/$1/stat" ] && ! grep -q ') Z ' "/proc/$1/stat"
}
for pid in $(cat pids); do
    ! runs "$pid" || fail "process $pid of $(tr '\n' ' ' <pids)was left: $(ps -o args= -p "$pid")"
done
assert_eq "processes" 3 "$(wc -l <pids)"
assert_eq "exit of a program that ignores TERM" '{"signal": 9}' "$(json limit.mprof exit)"

# An orphan goes on in its spool, run says so, and the next command completes the recording.
"$MPROF" run -o root.mprof sh -c 'sleep 60 >/dev/null 2>&1 & echo $! >orphan; exit 4' 2>said
assert_eq "status with an orphan" 4 $?
assert_contains "the orphan" "still runs" said
spool=$(find . -name 'root.mprof.*.spool' -printf '%f\n')
[ -n "$spool" ] || fail "the orphan has no spool: $(ls)"
assert_eq "while it runs" null "$("$MPROF" report --json "${spool%.spool}" | json_of exit)"
[ -f "$spool" ] || fail "the spool of a running program was removed"
kill "$(cat orphan)"
for _ in $(seq 100); do runs "$(cat orphan)" || break; sleep 0.1; done
assert_eq "orphan's command" sleep "$("$MPROF" report --json "${spool%.spool}" | json_of command.0)"
[ ! -f "$spool" ] || fail "the spool was not collected: $(ls)"

# A capture that cannot be written leaves the spool, which is completed later; the status passes.
"$MPROF" run -o full.mprof sh -c 'touch up; while [ ! -f go ]; do sleep 0.05; done; "$0"; exit 5' "$PROGRAMS/single" >out 2>said &
run=$!
for _ in $(seq 200); do [ -f up ] && break; sleep 0.05; done
prlimit --pid $run --fsize=64 || skip "prlimit is not there"
touch go
wait $run
assert_eq "status with a full disk" 5 $?
assert_contains "the full disk" "cannot be completed" said
assert_eq "sentences" 1 "$(grep -c '^mprof-c: ' said)"
[ -f full.mprof.spool ] || fail "the spool is gone: $(ls)"
assert_eq "parts left" 0 "$(find . -name '*.part' | wc -l)"
assert_eq "completed later" sh "$(json full.mprof command.0)"

# One whose name is taken by a folder meanwhile keeps the name of its spool, and the older recording stays.
preload taken.mprof "$PROGRAMS/single" >/dev/null || fail "status $?"
"$MPROF" run -o taken.mprof sh -c 'mkdir taken.mprof; exit 6' >out 2>said
assert_eq "status with a folder in the way" 6 $?
[ -f taken.mprof.spool ] || fail "the older recording is gone: $(ls)"
assert_contains "the folder in the way" taken.mprof.1 said
assert_eq "with a folder in the way" sh "$(json taken.mprof.1 command.0)"
rmdir taken.mprof
assert_eq "the older recording" 18 "$(json taken.mprof totals.allocations)"

# A file that came into the way is not written over, whether the file system can rename without replacing or not.
cat >unable.c <<'END'
#include <errno.h>
int renameat2(int a, const char *b, int c, const char *d, unsigned e)
{
    (void)a, (void)b, (void)c, (void)d, (void)e;
    errno = EINVAL;
    return -1;
}
END
gcc -shared -fPIC -o unable.so unable.c || fail "gcc"
for library in "" "$PWD/unable.so"; do
    LD_PRELOAD=$library "$MPROF" run -o way.mprof sh -c 'echo precious >way.mprof' 2>said
    assert_contains "a file in the way" "cannot be completed" said
    assert_eq "the file in the way" precious "$(cat way.mprof)"
    [ -f way.mprof.spool ] || fail "the spool is gone: $(ls)"
    rm way.mprof*
done

# More processes at a time than files may be open.
(ulimit -n 64; "$MPROF" run -q -o many.mprof sh -c 'for i in $(seq 60); do sleep 1 & done; wait; exit 3')
assert_eq "status with few files" 3 $?
assert_eq "recordings" 62 "$(find . -name 'many.mprof*' ! -name '*.spool' ! -name '*.part' | wc -l)"

# A library in a folder with a space in its name.
mkdir 'my tools' && cp "$MPROF" "$LIB" 'my tools/'
'my tools/mprof-c' run -q -o 'my file.mprof' "$PROGRAMS/single" >/dev/null
assert_eq "allocations" 18 "$(json 'my file.mprof' totals.allocations)"
