#!/bin/bash
# The victims with the self-check on: none of their stacks differs from libunwind's.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

check() { # N, least, names..
    local every=$1 least=$2 name source arguments want
    shift 2
    for name; do
        source=$(ls "$TESTS/programs/$name".c*)
        read -ra arguments < <(sed -n 's/^ \* ARGUMENTS //p' "$source"; echo)
        want=$(sed -n 's/^ \* EXIT \([0-9]*\)$/\1/p' "$source")
        assert_selfchecked "$name.mprof" "$every" "$least" "${want:-0}" "$PROGRAMS/$name" "${arguments[@]}"
        rm -f "$name".mprof*
    done
}

# Each with a number of stacks that the program makes however late its threads come to run.

# Every stack. deep is one of ten thousand frames, whole; gaps, aligned and coroutines have odd ones.
check 1 2 aligned containers coroutines deep early exceptions exec failing fork gaps headless maps plugin_host realloc \
    recursion reload signals spawn threads
check 1 15 trap_mainexit
check 1 50 trap_contexts shapes trap_catcher trap_lastfree loop
check 1 1000 forkthreads shortthreads trap_forks trap_loader

# What comes at every instruction: 500 threads on 16 KiB, handlers that map at 5 and 10 kHz, strike where
# they like and jump out; a seccomp filter. With every stack compared these handlers would never end.
check 3 1000 trap_nested trap_threads
check 10 100 trap_storm trap_limits trap_sandbox
check 20 1000 churn exchange
