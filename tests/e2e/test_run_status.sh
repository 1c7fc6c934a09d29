#!/bin/bash
# What mprof-c run passes on: arguments, streams, environment, exit status, signals; and its summary.
# TIMEOUT 90
. "$TESTS/e2e/lib.sh"

# Arguments arrive as they are, also behind options that look like ours; -- is optional.
cat >show.sh <<'END'
for a in "$0" "$@"; do echo "<$a>"; done
cat
echo error >&2
exit 42
END
words=(-o x --json '' 'a b' '*' -- -q $'new\nline')
echo input | sh ./show.sh "${words[@]}" >want.out 2>want.err
assert_eq "plain" 42 $?
echo input | "$MPROF" run -q -o a.mprof -- sh ./show.sh "${words[@]}" >got.out 2>got.err
assert_eq "status" 42 $?
assert_same "standard output" want.out got.out
assert_same "standard error" want.err got.err
echo input | "$MPROF" run -o b.mprof -E sh ./show.sh "${words[@]}" >got.out 2>got.err
assert_eq "status without --" 42 $?
assert_same "standard output without --" want.out got.out
assert_contains "program's standard error" error got.err
assert_eq "command" "sh" "$(json b.mprof command.0)"
assert_eq "exit" '{"code": 42}' "$(json b.mprof exit)"

# The closing summary is on standard error and says what matters.
"$MPROF" run -o c.mprof "$PROGRAMS/single" >got.out 2>summary
assert_eq "output" "done" "$(cat got.out)"
for word in wall CPU allocations peak RSS live lost c.mprof; do
    grep -qi -- "$word" summary || fail "the summary does not tell $word: $(cat summary)"
done
assert_eq "quiet" "" "$("$MPROF" run -q -o c.mprof "$PROGRAMS/single" 2>&1 >/dev/null)"

# Death by a signal: the same signal, the recording finished, no core.
(ulimit -c unlimited 2>/dev/null
    "$MPROF" run -q -o d.mprof sh -c 'ulimit -c 0; kill -SEGV $$' 2>/dev/null
    exit $?)
assert_eq "status after SEGV" 139 $?
assert_eq "exit" '{"signal": 11}' "$(json d.mprof exit)"
assert_eq "core files" 0 "$(find . -name 'core*' | wc -l)"

# TERM and HUP are forwarded, INT and QUIT ignored: the program decides.
cat >traps.sh <<'END'
trap 'echo got TERM; exit 7' TERM
trap 'echo got HUP; exit 8' HUP
echo ready
i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
END
for case in "TERM 7" "HUP 8"; do
    read -r signal status <<<"$case"
    rm -f traps.out # what the program before said must not be taken for this one's
    "$MPROF" run -q -o e.mprof sh ./traps.sh >traps.out 2>/dev/null &
    run=$!
    for _ in $(seq 600); do grep -q ready traps.out 2>/dev/null && break; sleep 0.05; done
    assert_contains "the program" ready traps.out
    kill -INT $run; kill -QUIT $run; sleep 0.1
    kill -0 $run 2>/dev/null || fail "mprof-c run ended on INT or QUIT"
    kill -$signal $run
    wait $run
    assert_eq "status after $signal" "$status" $?
    assert_contains "the program" "got $signal" traps.out
    assert_eq "exit after $signal" "{\"code\": $status}" "$(json e.mprof exit)"
done

# A time limit ends the program and is told by status 124.
begin=$(date +%s)
"$MPROF" run -q -t 0.5 -o f.mprof sleep 30
assert_eq "status after the time limit" 124 $?
[ $(($(date +%s) - begin)) -lt 15 ] || fail "the time limit did not end the program"
"$MPROF" report --json f.mprof >/dev/null || fail "the recording cannot be read"

# run returns when the root ends, whatever its orphans do, and their files are left in peace.
begin=$(date +%s)
"$MPROF" run -q -o g.mprof sh -c 'sleep 20 >/dev/null 2>&1 & echo $!' >orphan.pid
assert_eq "status with an orphan" 0 $?
[ $(($(date +%s) - begin)) -lt 10 ] || fail "run waited for an orphan"
kill "$(cat orphan.pid)"

# The line of the resident set: as often as asked.
"$MPROF" run -q -T 0.02 -o h.mprof sleep 0.5
assert_at_least "resident set" 100000 "$(json h.mprof totals.rss_peak_bytes)"
