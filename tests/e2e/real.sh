# real.sh - real programs: run plain, preloaded and under `mprof-c run`, and compared. Sourced behind lib.sh.
#
#     real_program 100000 perl work.pl       # a command, the same three times
#     real_session 100000 serve              # a function, called as: serve WAY; for servers and their clients
#
# WAY is plain, preload or run. Each has a folder WAY, which it works in, and WAY.rec with its recordings; what it
# prints is in WAY.out and WAY.err. What must hold (see real_same and recordings.py):
#
#   standard output, standard error and exit status are the plain run's
#   every recording of the tree has events; none is lost, unmatched or implied; no stack is truncated
#
# real_normal and real_prepare are hooks, to be defined anew by a case. real_allow holds options of recordings.py:
# --truncated PROGRAM where stacks go through code without unwind tables, --program NAME for one that must be
# among the recorded, --forks N ..
# shellcheck shell=bash

real_top=$PWD
real_allow=()
real_as=()     # setpriv and the like, put before each command: who it is run as
real_name=real # the recording's; a session that records again sets another, as run replaces what is there
trap real_stop_all EXIT

# Hook: a filter that takes out what differs from run to run, as process ids and times. Its argument: out or err.
real_normal() {
    cat
}

# Hook: makes in the present folder, which is the way's, what the program works on.
real_prepare() {
    :
}

# Becomes the rest, in the way named. Call it in a subshell or in the background.
real_exec() { # way, command..
    local way=$1
    shift
    case $way in
    plain) exec "${real_as[@]}" "$@" ;;
    preload)
        exec "${real_as[@]}" env MPROF_OUTPUT="$real_top/preload.rec/$real_name.mprof" LD_PRELOAD="$LIB" "$@"
        ;;
    run) exec "${real_as[@]}" "$MPROF" run -q -o "$real_top/run.rec/$real_name.mprof" -- "$@" ;;
    *) fail "real_exec: no such way: $way" ;;
    esac
}

real_folders() { # way
    rm -rf "$1" "$1.rec" && mkdir "$1" "$1.rec"
    (cd "$1" && real_prepare "$1") || fail "$1: the preparation failed"
}

# A command, the same in each way.
real_program() { # least number of events, command..
    local least=$1 way
    shift
    for way in plain preload run; do
        real_folders $way
        # The redirections are the subshell's, as bash tells of a death by signal on its own.
        (cd $way && real_exec $way "$@" </dev/null >../$way.out 2>../$way.err)
        echo $? >$way.status
        [ $way = plain ] || real_same $way "$1"
        [ $way = plain ] || real_recordings $way "$least"
    done
}

# A function, once for each way. It runs in a subshell in the way's folder, starts what is to be recorded with
# `real_exec WAY command.. &` or `(real_exec WAY command..)`, and prints what must be the same in all ways.
real_session() { # least number of events, function
    local least=$1 function=$2 way
    for way in plain preload run; do
        real_folders $way
        (cd $way && $function $way </dev/null >../$way.out 2>../$way.err)
        echo $? >$way.status
        [ "$(cat $way.status)" = 0 ] || fail "$way: $function: $(tail -n 30 $way.out $way.err)"
        [ $way = plain ] || real_same $way "$function"
        [ $way = plain ] || real_recordings $way "$least"
    done
}

# What the program printed and how it ended are the plain run's.
real_same() { # way, what
    local stream
    assert_eq "$1: exit status of $2 ($(tail -n 5 "$1.err"))" "$(cat plain.status)" "$(cat "$1.status")"
    for stream in out err; do
        real_normal $stream <plain.$stream >plain.$stream.normal
        real_normal $stream <"$1.$stream" >"$1.$stream.normal"
        assert_same "$1: standard $stream of $2" plain.$stream.normal "$1.$stream.normal"
    done
}

# A command that cannot be recorded: preloaded it is left alone, and `run` says why, in one sentence.
real_refused() { # the reason, command..
    local reason=$1 way
    shift
    for way in plain preload run; do
        real_folders $way
        (cd $way && real_exec $way "$@" </dev/null >../$way.out 2>../$way.err)
        echo $? >$way.status
        assert_eq "$way: recordings of $1" "" "$(ls $way.rec)"
    done
    real_same preload "$1"
    assert_contains "run: $1" "$reason" run.err
    assert_eq "run: sentences of its own ($(cat run.err))" 1 "$(grep -c '^mprof-c: ' run.err)"
    sed -i '/^mprof-c: /d' run.err
    real_same run "$1"
}

# Looks at all recordings of a way; nobody of its tree may run any more.
real_recordings() { # way, least number of events
    "$TESTS/e2e/recordings.py" --least "$2" "${real_allow[@]}" "$1.rec" >"$1.quality" ||
        fail "$1: the recordings: $(cat "$1.quality")"
    echo "$1: $(tail -n 1 "$1.quality")"
}

# Waits for something to become true.
real_wait() { # what, seconds, command..
    local what=$1 deadline=$((SECONDS + $2))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -le $deadline ] || fail "waited in vain for $what"
        sleep 0.05
    done
}

# A TCP port that is free now.
real_port() {
    /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# When a process began, in the kernel's count; nothing where it is gone, or a zombie.
real_began() { # pid
    [ -r "/proc/$1/stat" ] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'
}

# Remembers a process that is to be killed when the case ends before it. So a failed case leaves no server.
real_guard() { # pid
    echo "$1 $(real_began "$1")" >>"$real_top/guarded"
}

real_gone() { # pid
    [ -z "$(real_began "$1")" ]
}

real_stop_all() {
    local pid began
    [ -f "$real_top/guarded" ] || return 0
    while read -r pid began; do
        [ -n "$began" ] && [ "$(real_began "$pid")" = "$began" ] && kill -KILL "$pid"
    done <"$real_top/guarded"
}

# Puts copies of the command and the library where any user may read them.
real_tools_for_all() {
    mkdir -p "$real_top/tools"
    cp "$MPROF" "$LIB" "$real_top/tools/" || fail "the tools cannot be copied"
    chmod 755 "$real_top" "$real_top/tools" "$real_top"/tools/*
    MPROF=$real_top/tools/mprof-c LIB=$real_top/tools/libmprof.so
}
