#!/bin/bash
# SIGSTOP and SIGCONT: of the program, longer than the collector waits for a thread that is in the middle of an event,
# of the collector, and of both. Nothing is lost, nothing comes out of order.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

# busy FILE: two threads allocate and free until there is FILE. Writes its pid at first, and at last how often.
cat >busy.c <<'END'
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_int ended;
static atomic_long turns;

static void *churn(void *none)
{
    void *kept[16] = {0};
    for (long i = 0; !ended; i++) {
        turns++;
        free(kept[i % 16]);
        kept[i % 16] = malloc(32);
        if (i % 500 == 0)
            usleep(1000);
    }
    for (int i = 0; i < 16; i++)
        free(kept[i]);
    return none;
}

int main(int argc, char **argv)
{
    pthread_t thread[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, churn, NULL);
    pid_t me = getpid();
    write(1, &me, sizeof me);
    while (argc < 2 || access(argv[1], F_OK))
        usleep(1000);
    ended = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    long count = turns;
    write(1, &count, sizeof count);
    return 5;
}
END
gcc -pthread -o busy busy.c || fail "gcc"

wait_for_pid() { # file; prints the pid in it
    for _ in $(seq 500); do
        [ "$(wc -c <"$1")" = 4 ] && break
        sleep 0.02
    done
    od -An -td4 "$1" | tr -d ' '
}

stop_and_go() { # seconds, pid ..
    local seconds=$1
    shift
    kill -STOP "$@" || fail "the process had ended before it could be stopped"
    sleep "$seconds"
    kill -CONT "$@"
}

assert_whole() { # recording
    local turns
    turns=$(tail -c 8 "$1.pid" | od -An -td8 | tr -d ' ')
    assert_clean "$1"
    assert_at_least "turns of $1" 10000 "$turns"
    # Two threads' starts (glibc's vectors) come on top.
    assert_at_least "allocations of $1" "$turns" "$(json "$1" totals.allocations)"
    assert_at_least "allocations of $1, not more than" "$(json "$1" totals.allocations)" $((turns + 8))
}

stopped() { # name, seconds, which of "program collector"
    local name=$1 seconds=$2 which=$3 run pid
    "$MPROF" run -q -o "$name" ./busy "$name.end" >"$name.pid" 2>"$name.err" &
    run=$!
    pid=$(wait_for_pid "$name.pid")
    case $which in
    program) set -- "$pid" ;;
    collector) set -- $run ;;
    *) set -- "$pid" $run ;;
    esac
    sleep 0.1
    stop_and_go "$seconds" "$@"
    sleep 0.1
    stop_and_go 0.3 "$@"
    sleep 0.3
    touch "$name.end"
    wait $run
    assert_eq "$which stopped: status" 5 $?
    assert_eq "$which stopped: errors" "" "$(cat "$name.err")"
    assert_whole "$name"
}

plain() {
    local pid
    MPROF_OUTPUT=plain.mprof LD_PRELOAD=$LIB ./busy plain.end >plain.mprof.pid &
    pid=$(wait_for_pid plain.mprof.pid)
    stop_and_go 1 "$pid"
    # A spool of a stopped program is read as it is, and stays.
    kill -STOP "$pid"
    assert_clean plain.mprof
    [ -f plain.mprof.spool ] || fail "the spool of a stopped program was collected for good"
    kill -CONT "$pid"
    sleep 0.3
    touch plain.end
    wait "$pid"
    assert_eq "preloaded and stopped: status" 5 $?
    assert_whole plain.mprof
}

pids=()
stopped program.mprof 7 program & pids+=($!)
stopped collector.mprof 2 collector & pids+=($!)
stopped both.mprof 2 both & pids+=($!)
plain & pids+=($!)
for pid in "${pids[@]}"; do
    wait "$pid" || exit 1
done
