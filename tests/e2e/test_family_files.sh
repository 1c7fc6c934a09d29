#!/bin/bash
# rm, clean and run -o take whole families, by what is in the files; a recording without its children says so.
. "$TESTS/e2e/lib.sh"

two="\"$PROGRAMS/single\"; \"$PROGRAMS/single\"; :"

names() { # of a family's files
    find . -maxdepth 1 -name "$1*" -printf '%f\n' | sort | tr '\n' ' '
}

run_as f.mprof sh -c "$two" >out || fail "run"
assert_eq "first" "f.mprof f.mprof.1 f.mprof.2 " "$(names f.mprof)"
first=$(json f.mprof pid)

# Again: the older family goes; a foreign file and another tree's recording with such a name stay.
echo precious >f.mprof.3
run_as other.mprof "$PROGRAMS/recursion" >out || fail "run"
mv other.mprof f.mprof.4
run_as f.mprof sh -c "$two" >out || fail "run again"
[ "$first" != "$(json f.mprof pid)" ] || fail "the older recording is still there"
assert_eq "second" "f.mprof f.mprof.3 f.mprof.4 f.mprof.6 f.mprof.7 " "$(names f.mprof)"
assert_eq "a foreign file" precious "$(cat f.mprof.3)"
assert_eq "another tree" "$PROGRAMS/recursion" "$(json f.mprof.4 command.0)"
"$MPROF" report --tree f.mprof >text 2>said || fail "report --tree: $(cat said)"
assert_contains "the tree" "3 processes together" text

# One that ends without children leaves none.
run_as f.mprof "$PROGRAMS/single" >out || fail "run a third time"
assert_eq "third" "f.mprof f.mprof.3 f.mprof.4 " "$(names f.mprof)"

# rm takes the family and says how many; a dry run takes nothing.
run_as f.mprof sh -c "$two" >out || fail "run"
"$MPROF" rm --dry-run f.mprof >out || fail "rm --dry-run"
assert_eq "files of the dry run" 3 "$(grep -c '^f.mprof' out)"
"$MPROF" rm f.mprof >out || fail "rm"
assert_eq "rm" "3 recordings removed" "$(cat out)"
assert_eq "after rm" "f.mprof.3 f.mprof.4 " "$(names f.mprof)"
"$MPROF" rm f.mprof.4 >out || fail "rm one"
assert_eq "rm one" "1 recording removed" "$(cat out)"

# Children that are gone are missed, by whatever command.
run_as g.mprof sh -c "$two" >out || fail "run"
rm g.mprof.2
for command in report leaks peak "report --json" "leaks --json" "peak --json"; do
    # shellcheck disable=SC2086 # words
    "$MPROF" $command g.mprof >out 2>said || fail "$command: $(cat said)"
    assert_eq "$command says" "mprof-c: g.mprof: 1 of the 2 recordings of its children is not in the folder, what they did is left out" "$(cat said)"
done
rm g.mprof.1
"$MPROF" report --tree g.mprof >text 2>said || fail "report --tree: $(cat said)"
assert_contains "report --tree" "2 processes without a recording" text
assert_eq "gaps" 2 "$("$MPROF" report --tree --json g.mprof 2>said | json_of gaps.unrecorded_processes)"
"$MPROF" plot -C -o g.svg g.mprof >out 2>said || fail "plot -C: $(cat said)"
assert_contains "plot -C" "2 processes without a recording" g.svg
mkdir elsewhere && cp g.mprof elsewhere
"$MPROF" report elsewhere/g.mprof >out 2>said || fail "report"
assert_contains "a copy without its children" "2 of the 2 recordings" said

# clean counts, too.
rm -f ./*.mprof*
"$MPROF" run -q sh -c "$two" >out || fail "run"
"$MPROF" clean >out || fail "clean"
assert_eq "clean" "3 recordings removed" "$(cat out)"
assert_eq "clean of nothing" "" "$("$MPROF" clean)"

# What an orphan of the older family still writes stays.
"$MPROF" run -q -o o.mprof sh -c 'sleep 60 >/dev/null 2>&1 & echo $! >orphan; "$0"; :' "$PROGRAMS/single" >out 2>said
run_as o.mprof "$PROGRAMS/single" >out || fail "run beside an orphan"
assert_eq "files beside an orphan" 1 "$(find . -maxdepth 1 -name 'o.mprof.*.spool' | wc -l)"
assert_eq "recordings beside an orphan" "o.mprof" "$(find . -maxdepth 1 -name 'o.mprof*' ! -name '*.spool' ! -name '*.part' -printf '%f')"
kill "$(cat orphan)"

# A child whose spool somebody else collects while run has not come to it: run knows that nothing is amiss.
mkfifo go on
"$MPROF" run -o s.mprof sh -c 'read x <go; "$0"; read x <on; :' "$PROGRAMS/single" >out 2>said &
run=$!
for _ in $(seq 200); do [ -e s.mprof.spool ] && break; sleep 0.05; done
sleep 0.3
kill -STOP $run
echo >go
for _ in $(seq 200); do grep -q "done" out && break; sleep 0.05; done
sleep 0.3
assert_eq "collected by report" 18 "$(json s.mprof.1 totals.allocations)"
kill -CONT $run
echo >on
wait $run || fail "run that was stopped: $(cat said)"
grep -q "cannot be completed" said && fail "run complains of what was collected: $(cat said)"
assert_eq "files of the run that was stopped" "s.mprof s.mprof.1 " "$(names s.mprof)"
