#!/bin/bash
# run has no memory to collect with: the program goes on, run ends as it does, says what is not collected, and reading completes it.
. "$TESTS/e2e/lib.sh"
not_sanitized "it takes terabytes of addresses, and ulimit -v does not let it have them"

cat >grow.c <<'END'
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static void *volatile kept;
static void on_term(int signal)
{
    (void)signal;
    _exit(9);
}
static void grow(int blocks)
{
    for (int i = 0; i < blocks; i++)
        kept = malloc(16);
}
/* Three children with 1000 blocks each, then BLOCKS; with `wait` when there is a file `go`, and until there is none. */
int main(int argc, char **argv)
{
    signal(SIGTERM, on_term);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            grow(1000);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    while (argc > 2 && access("go", F_OK) != 0)
        usleep(1000);
    grow(atoi(argv[1]));
    while (argc > 2 && access("go", F_OK) == 0)
        usleep(1000);
    write(1, "alive\n", 6);
    return 7;
}
END
gcc -o grow grow.c || fail gcc

# Every command that reads a recording completes it.
assert_whole() { # recording, blocks
    "$MPROF" report --json "$1" >whole.json || fail "$1: not completed"
    assert_at_least "$1: allocations" "$2" "$(json_of totals.allocations <whole.json)"
    assert_eq "$1: lost" 0 "$(json_of quality.lost <whole.json)"
    for child in 0 1 2; do
        assert_eq "$1: child $child" 1000 "$(json_of children.$child.totals.allocations <whole.json)"
    done
    assert_eq "$1: files" "./$1" "$(find . -name "$1*")"
}

# However little there is: run, or nothing else, may be without.
for kib in $(seq 24000 1000 72000); do
    rm -f small.mprof*
    status=$(ulimit -v $kib && "$MPROF" run -o small.mprof ./grow 5000 >out 2>err; echo $?)
    if [ ! -s out ] && grep -q "out of memory" err; then
        continue # before the program was started
    fi
    assert_eq "$kib KiB: status ($(cat err))" 7 "$status"
    assert_eq "$kib KiB: output" alive "$(cat out)"
    grep -q "nothing was recorded" err || assert_whole small.mprof 5000
done
assert_eq "$kib KiB: err" 0 "$(grep -c 'out of memory' err)"

# Starts a program that waits for `go`, and takes the memory from its collector.
start() { # recording, options..
    rm -f go
    "$MPROF" run -o "$1" "${@:2}" ./grow 3000000 wait >out 2>err &
    run=$!
    until [ -e "$1.part" ]; do sleep 0.02; done
    sleep 0.3
    prlimit --pid $run --as=$((($(awk '/VmSize/ { print $2 }' /proc/$run/status) + 1000) * 1024)) || fail prlimit
    : >go
    until grep -q "Cannot allocate\|out of memory" err; do sleep 0.02; done
}

start late.mprof
rm go
wait $run
assert_eq "late: status" 7 $?
assert_eq "late: output" alive "$(cat out)"
assert_contains late "mprof-c: late.mprof: not collected to its end, for want of memory" err
assert_whole late.mprof 3000000

start term.mprof
kill -TERM $run
wait $run
assert_eq "a signal passed on: status" 9 $?
assert_whole term.mprof 1

start limit.mprof -t 3
wait $run
assert_eq "time limit: status" 124 $?
assert_whole limit.mprof 1
