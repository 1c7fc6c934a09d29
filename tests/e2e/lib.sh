# lib.sh - what the cases written in shell share. A case begins with:  . "$TESTS/e2e/lib.sh"
#
# Given by tests/run: MPROF (the command), LIB (the library), PROGRAMS (built victims), TESTS (this
# folder's parent), and an empty working folder. A case that gets to its end has passed.
# shellcheck shell=bash
set -u
ulimit -c 0

fail() {
    echo "failed: $*"
    exit 1
}

# The reason is the last line of output: the harness shows it.
skip() {
    echo "$*"
    exit 77
}

not_sanitized() { # why this cannot be tried with a sanitized mprof-c
    ! readelf -d "$MPROF" | grep -q libasan || skip "$1"
}

assert_eq() { # what, expected, got
    [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

assert_same() { # what, file, file
    cmp -s "$2" "$3" || fail "$1: differ: $(diff "$2" "$3" | head -n 20)"
}

assert_contains() { # what, text, file
    grep -qF -- "$2" "$3" || fail "$1: no '$2' in: $(cat "$3")"
}

# Runs the rest with the library preloaded, recording as $1.
preload() { # name, command..
    local name=$1
    shift
    MPROF_OUTPUT=$name LD_PRELOAD=$LIB "$@"
}

# Records the rest with a live collector as $1.
run_as() { # name, command..
    local name=$1
    shift
    "$MPROF" run -q -o "$name" -- "$@"
}

# Prints a value of `report --json`, say totals.allocations or command.0; JSON for what is no number or text.
json() { # recording, path
    "$MPROF" report --json "$1" | json_of "$2"
}

json_of() { # path; JSON on stdin
    /usr/bin/python3 -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key) if isinstance(value, list) else key]
print(value if isinstance(value, (str, int, float)) and not isinstance(value, bool) else json.dumps(value))
' "$1"
}

# Nothing lost, every free matched.
assert_clean() { # recording
    local key
    for key in lost unmatched_frees implied_frees; do
        assert_eq "$1: quality.$key" 0 "$(json "$1" quality.$key)"
    done
}

assert_at_least() { # what, least, got
    [ "$3" -ge "$2" ] || fail "$1: expected at least $2, got $3"
}

# Draws a recording and checks that a picture came of it.
assert_plots() { # recording
    "$MPROF" plot -o "$1.png" "$1" >plot.out 2>&1 || fail "plot $1: $(cat plot.out)"
    [ "$(head -c 4 "$1.png" | tail -c 3)" = PNG ] || fail "plot $1: no PNG was written"
    assert_at_least "bytes of $1.png" 4000 "$(wc -c <"$1.png")"
}

# The rest must fail with status $1 and say one sentence, on one line of standard error.
assert_refused() { # status, command..
    local want=$1 got
    shift
    "$@" >refused.out 2>refused.err
    got=$?
    assert_eq "exit status of: $*" "$want" "$got"
    assert_eq "lines on standard error of: $* ($(cat refused.err))" 1 "$(wc -l <refused.err)"
    assert_eq "standard output of: $*" "" "$(cat refused.out)"
    grep -q '^mprof-c: ' refused.err || fail "$*: does not begin with mprof-c: $(cat refused.err)"
}

# Records a program both ways; output and status must be those of a plain run, the counts sane.
# Leaves the recordings preload.mprof and run.mprof.
assert_real_program() { # least number of allocations, command..
    local least=$1 way status
    shift
    "$@" >plain.out 2>plain.err
    status=$?
    for way in preload run; do
        # Not by the functions above: bash would tell of a death by signal on their redirected stderr.
        if [ $way = preload ]; then
            MPROF_OUTPUT=preload.mprof LD_PRELOAD=$LIB "$@" >$way.out 2>$way.err
        else
            "$MPROF" run -q -o run.mprof -- "$@" >$way.out 2>$way.err
        fi
        assert_eq "$way: exit status of $1" $status $?
        assert_same "$way: standard output of $1" plain.out $way.out
        assert_same "$way: standard error of $1" plain.err $way.err
        assert_clean $way.mprof
        assert_at_least "$way: allocations of $1" "$least" "$(json $way.mprof totals.allocations)"
        assert_plots $way.mprof
    done
}

# Records the rest with every Nth stack compared with libunwind's, as NAME: in it, its forked children
# and recordings NAME.1 .. (which it exec'd) at least that many were, and none differs.
assert_selfchecked() { # name, N, least, expected status, command..
    local name=$1 every=$2 least=$3 want=$4
    shift 4
    MPROF_SELFCHECK=$every preload "$name" "$@" >selfcheck.out 2>selfcheck.err </dev/null
    local status=$?
    assert_eq "$1: status with the self-check ($(tail -n 3 selfcheck.err))" "$want" $status
    selfcheck_counts "$name" >selfcheck.counts
    local compared differ
    read -r compared differ <selfcheck.counts
    [ "$differ" = 0 ] || fail "$1: $differ of $compared stacks differ: $("$MPROF" report -n 0 "$name")"
    assert_at_least "$1: stacks compared" "$least" "$compared"
    echo "$1: $compared stacks compared"
}

# Stacks compared, and of these different, in a recording, its forked children and NAME.1 ..
selfcheck_counts() { # name
    local each
    for each in "$1" "$1".[0-9]*; do
        [ -e "$each" ] || [ -e "$each.spool" ] || continue
        case $each in *.spool) each=${each%.spool} ;; esac
        "$MPROF" report --json -n 0 "$each" 2>/dev/null # one without an event says so
    done | /usr/bin/python3 -c '
import json, sys
text, at, compared, differ = sys.stdin.read(), 0, 0, 0
while text[at:].strip():
    report, used = json.JSONDecoder().raw_decode(text[at:])
    at += used + 1
    for process in [report, *(c for c in report["children"] if c["kind"] == "fork")]:
        compared += process["quality"]["selfcheck_compared"]
        differ += process["quality"]["selfcheck_differences"]
print(compared, differ)
'
}
