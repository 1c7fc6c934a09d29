#!/bin/bash
# Names of recordings: the default, %p %h %q{VAR}, .1 beside an existing one, replacing, two in a second.
. "$TESTS/e2e/lib.sh"

victim=$PROGRAMS/single

# By default mprofile_YYYYmmddHHMMSS_PID.mprof, in the folder of the start; four at once do not meet.
mkdir default && cd default || exit 1
for i in 1 2 3 4; do
    LD_PRELOAD=$LIB "$victim" >/dev/null &
done
wait
"$MPROF" run -q "$victim" >/dev/null
"$MPROF" run -q "$victim" >/dev/null
assert_eq "recordings" 6 "$(find . -name 'mprofile_*' | grep -cE '^./mprofile_[0-9]{14}_[0-9]+\.mprof(\.spool)?$')"
assert_eq "files" 6 "$(find . -type f | wc -l)"
assert_eq "lines of list" 6 "$("$MPROF" list | wc -l)"
cd ..

# A program that leaves the folder, and what it becomes there, is recorded in the folder of the start.
mkdir start
(cd start && run_as x.mprof sh -c 'cd / && exec "$0"' "$victim" >/dev/null)
assert_eq "recordings of sh and what it became" 2 "$(find start -name 'x.mprof*' | wc -l)"

# Patterns.
export WHO=me
preload 'a_%q{WHO}_%h.mprof' "$victim" >/dev/null
[ -f "a_me_$(uname -n).mprof.spool" ] || fail "%q and %h: $(ls)"
run_as 'b_%q{WHO}_%p.mprof' "$victim" >/dev/null
pid=$(json b_me_*.mprof pid)
[ -f "b_me_$pid.mprof" ] || fail "%p: $(ls)"

# Plain preloading takes the next free name; run replaces.
for i in 1 2 3; do
    preload same.mprof "$victim" >/dev/null
done
assert_eq "spools of three starts" "same.mprof.1.spool same.mprof.2.spool same.mprof.spool" \
    "$(find . -maxdepth 1 -name 'same*' -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//')"
run_as again.mprof "$PROGRAMS/recursion"
assert_eq "first" 110 "$(json again.mprof totals.allocations)"
run_as again.mprof "$victim" >/dev/null
assert_eq "replaced" 18 "$(json again.mprof totals.allocations)"
assert_eq "files called again" 1 "$(find . -name 'again*' | wc -l)"

# A program that is not there leaves the old recording as it was.
"$MPROF" run -q -o again.mprof ./missing 2>/dev/null
assert_eq "kept" 18 "$(json again.mprof totals.allocations)"
