#!/bin/bash
# --no-children and MPROF_CHILDREN=0: the first process is recorded as ever, its children leave no trace and notice
# nothing.
. "$TESTS/e2e/lib.sh"

recordings() { # name; how many there are of it
    find . -maxdepth 1 \( -name "$1" -o -name "$1.*" \) | wc -l
}

# Forked children: by fork, _Fork, clone and in a handler, exec'd ones, and some in unrest.
"$PROGRAMS/fork" >fork.out || fail "plain fork"
"$MPROF" run -q --no-children -o run.mprof "$PROGRAMS/fork" >run.out || fail "run: status $?"
MPROF_CHILDREN=0 preload pre.mprof "$PROGRAMS/fork" >pre.out || fail "preload: status $?"
for way in run pre; do
    assert_same "$way: output" fork.out $way.out
    assert_clean $way.mprof
    assert_eq "$way: allocations" 10 "$(json $way.mprof totals.allocations)"
    assert_eq "$way: frees" 10 "$(json $way.mprof totals.frees)"
    assert_eq "$way: children" "[]" "$(json $way.mprof children)"
    assert_eq "$way: recordings" 1 "$(recordings $way.mprof)"
done
MPROF_CHILDREN=0 preload traps.mprof "$PROGRAMS/trap_forks" >out 2>err || fail "trap_forks: status $? $(cat err)"
"$TESTS/spool_reader.py" traps.mprof.spool >reader.json || fail "the second reader: $(cat reader.json)"
assert_clean traps.mprof
assert_eq "trap_forks: children" "[]" "$(json traps.mprof children)"

# exec'd children, also orphans of a double fork; the environment is what it would be; exec over itself stays.
script='"$0"; "$0" | cat; env | sort | grep -v "^_=" >$1.env; (setsid sh -c "sleep 0.2; \"$0\" >$1.late" & ) ; exit 7'
"$MPROF" run -q --no-children -o tree.mprof sh -c "$script" "$PROGRAMS/single" tree >tree.out
assert_eq "run: status" 7 $?
(MPROF_CHILDREN=0 preload sole.mprof sh -c "$script" "$PROGRAMS/single" sole) >sole.out
assert_eq "preload: status" 7 $?
for way in tree sole; do
    assert_eq "$way: output" $'done\ndone' "$(cat $way.out)"
    for _ in $(seq 100); do [ -s $way.late ] && break; sleep 0.05; done
    assert_eq "$way: late output" "done" "$(cat $way.late)"
done
assert_eq "run: recordings" 1 "$(recordings tree.mprof)"
assert_eq "preload: recordings" 1 "$(ls sole.mprof.spool | wc -l)"
grep -qx "LD_PRELOAD=$LIB" sole.env || fail "the child's LD_PRELOAD: $(grep LD_ sole.env)"
grep -qx "MPROF_CHILDREN=0" sole.env || fail "the child's MPROF_CHILDREN: $(grep MPROF sole.env)"
assert_eq "run: the root" sh "$(json tree.mprof command.0)"
"$MPROF" run -q --no-children -o self.mprof sh -c 'exec "$0"' "$PROGRAMS/single" >out || fail "exec: status $?"
assert_eq "exec over itself: recordings" 2 "$(recordings self.mprof)"
assert_eq "exec over itself" 18 "$(json self.mprof.1 totals.allocations)"

# The setting of a tree is no other's: run inside run records, and so does a shell that only exports it.
"$MPROF" run -q --no-children -o outer.mprof sh -c '"$0" run -q -o inner.mprof sh -c "$1; true"' "$MPROF" "$PROGRAMS/single" >out ||
    fail "run inside run: status $?"
assert_eq "run inside run: recordings" "1 2" "$(recordings outer.mprof) $(recordings inner.mprof)"
MPROF_CHILDREN=0 "$MPROF" run -q -o set.mprof sh -c '"$0"; true' "$PROGRAMS/single" >out || fail "status $?"
assert_eq "MPROF_CHILDREN=0 for run: recordings" 1 "$(recordings set.mprof)"
(export MPROF_CHILDREN=0 LD_PRELOAD="$LIB" MPROF_OUTPUT="$PWD/exported.mprof"; "$PROGRAMS/single"; "$PROGRAMS/single") >out
assert_eq "exported in a shell: recordings" 2 "$(ls exported.mprof.spool exported.mprof.1.spool | wc -l)"
"$MPROF" run -q -o all.mprof sh -c '"$0"; true' "$PROGRAMS/single" >out || fail "status $?"
assert_eq "without it: recordings" 2 "$(recordings all.mprof)"
