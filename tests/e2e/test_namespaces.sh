#!/bin/bash
# Other pid and time namespaces: a container's processes are recorded whole, also what a child does after
# seconds of silence; `run` as process 1 and where /proc is another namespace's.
# TIMEOUT 180
. "$TESTS/e2e/lib.sh"

unshare -pf --mount-proc true 2>/dev/null || skip "pid namespaces need root"

cat >late.c <<'END'
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void churn(int times)
{
    for (int i = 0; i < times; i++)
        free(malloc(20));
}

int main(void)
{
    churn(1);
    pid_t child = fork();
    if (child == 0) {
        churn(10);
        sleep(4); /* longer than a collector waits before it believes that a process is gone */
        churn(1000);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 3;
}
END
gcc -o late late.c || fail "gcc"

# The child has a pid that nobody has outside.
run_as late.mprof unshare -pf --mount-proc sh -c 'echo 3000000 >/proc/sys/kernel/ns_last_pid; exec ./late' &
late=$!

# run as process 1: its program's status, and death by a signal as a shell would tell it.
unshare -pf --mount-proc "$MPROF" run -q -o one.mprof "$PROGRAMS/exec" first >out
assert_eq "status under a run that is process 1" "3 second" "$? $(cat out)"
assert_eq "allocations under process 1" 6 "$(json one.mprof totals.allocations)"
unshare -pf --mount-proc "$MPROF" run -q -o term.mprof sh -c 'kill -TERM $$'
assert_eq "status of a death by TERM under process 1" 143 $?
assert_eq "the death" '{"signal": 15}' "$(json term.mprof exit)"
orphan="$PROGRAMS/single >/dev/null" # which nobody but process 1 could wait for
unshare -pf --mount-proc "$MPROF" run -q -o orphan.mprof sh -c "(sleep 0.2; exec $orphan) & exit 4"
assert_eq "status with an orphan" 4 $?

# A /proc that shows another namespace's processes.
unshare -pf "$MPROF" run -q -o proc.mprof "$PROGRAMS/single" >out 2>err
assert_eq "status beside a foreign /proc" "0 done" "$? $(cat out err)"
assert_eq "allocations beside a foreign /proc" 18 "$(json proc.mprof totals.allocations)"
assert_eq "exit beside a foreign /proc" '{"code": 0}' "$(json proc.mprof exit)"

# Plain preload of a process 1; it counts, and the name has its own pid in it.
MPROF_OUTPUT='first.%p.mprof' LD_PRELOAD=$LIB unshare -pf --mount-proc "$PROGRAMS/single" >out
assert_eq "status of a recorded process 1" "0 done" "$? $(cat out)"
assert_eq "allocations of process 1" 18 "$(json first.1.mprof totals.allocations)"

# A process without /proc does not know when it began, and its number is another's here: it is not that one.
MPROF_OUTPUT=$PWD/hidden.mprof LD_PRELOAD=$LIB unshare -pmf sh -c 'umount -l /proc && exec "$0"' "$PROGRAMS/single" >out
assert_eq "output without /proc" "done" "$(cat out)"
for spool in hidden.mprof*.spool; do # reading one may complete others of its process
    [ -e "$spool" ] || [ -e "${spool%.spool}" ] || fail "no spools: $(ls)"
    assert_eq "running: ${spool%.spool}" false "$(json "${spool%.spool}" running)"
done
assert_eq "spools left" "" "$(find . -name 'hidden.mprof*.spool')"

# Clocks that say another time since boot, in the program and around run: lengths, exits and samples are right.
cat >second.c <<'END'
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    for (int i = 0; i < 20; i++) {
        free(malloc(20));
        usleep(20000);
    }
    return 6;
}
END
gcc -o second second.c || fail "gcc"
assert_timely() { # recording
    assert_eq "allocations of $1" 20 "$(json "$1" totals.allocations)"
    assert_eq "exit of $1" '{"code": 6}' "$(json "$1" exit)"
    assert_at_least "resident set of $1" 100000 "$(json "$1" totals.rss_peak_bytes)"
    json "$1" duration_s | awk '{ exit !($1 >= 0.4 && $1 < 60) }' || fail "$1 took $(json "$1" duration_s) s"
}
if unshare -T --boottime 100000 true 2>/dev/null; then
    for offset in 100000 -100; do
        run_as "in$offset.mprof" unshare -T --boottime $offset ./second
        assert_eq "status in a time namespace" 6 $?
        assert_timely "in$offset.mprof.1"
    done
    unshare -T --boottime 100000 "$MPROF" run -q -o around.mprof ./second
    assert_eq "status of run in a time namespace" 6 $?
    assert_timely around.mprof

    # A child that is forked into another time namespace than its parent's.
    cat >other.c <<'END'
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void churn(void)
{
    for (int i = 0; i < 20; i++) {
        free(malloc(20));
        usleep(20000);
    }
}

int main(int argc, char **argv)
{
    free(malloc(20));
    int fd = open("/proc/self/timens_offsets", O_WRONLY);
    if (argc != 2 || unshare(0x80 /* CLONE_NEWTIME */) || dprintf(fd, "boottime %s 0", argv[1]) < 0)
        return 1;
    if (fork() == 0) {
        churn();
        free(malloc(500)); /* its highest point is at its end */
        _exit(0);
    }
    wait(NULL);
    churn();
    return 6;
}
END
    gcc -o other other.c || fail "gcc"
    for offset in 100000 -100; do
        for way in preload run_as; do
            $way "other$way$offset.mprof" ./other $offset
            assert_eq "$way: status with a child in another time namespace" 6 $?
            "$MPROF" report --json "other$way$offset.mprof" >other.json || fail "report"
            whole=$(json_of duration_s <other.json)
            peak=$(json_of children.0.totals.peak_time_s <other.json)
            echo "$whole $peak" | awk '{ exit !($1 >= 0.8 && $1 < 60 && $2 >= 0.4 && $2 <= $1) }' ||
                fail "$way, $offset: took $whole s, and the child's peak was at $peak s"
            assert_at_least "$way: samples of the child" 100000 "$(json_of children.0.totals.rss_peak_bytes <other.json)"
        done
    done
fi

wait $late
assert_eq "status of the silent child's parent" 3 $?
silent=
for each in late.mprof*; do
    [ "$(json "$each" command.0)" = ./late ] && silent=$each
done
[ -n "$silent" ] || fail "no recording of ./late: $(ls)"
assert_eq "allocations of the silent child" 1010 "$(json "$silent" children.0.totals.allocations)"
assert_eq "frees of the silent child" 1010 "$(json "$silent" children.0.totals.frees)"
assert_eq "lost by the silent child" 0 "$(json "$silent" children.0.quality.lost)"
assert_at_least "its resident set, seen from outside" 100000 "$(json "$silent" children.0.totals.rss_peak_bytes)"
