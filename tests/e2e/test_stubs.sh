#!/bin/bash
# What a recorder that could not begin leaves, a spool without a header, goes with rm, clean, its family, and run -o.
. "$TESTS/e2e/lib.sh"

stub() { # name of the recording, command..
    local name=$1
    shift
    MPROF_LIMIT=1 preload "$name" "$@" >/dev/null || fail "$name: $?"
}

stub a.mprof "$PROGRAMS/single"
[ -e a.mprof.spool ] || fail "no stub: $(ls)"
assert_eq "rm --dry-run" a.mprof.spool "$("$MPROF" rm --dry-run a.mprof | tail -n 1)"
"$MPROF" rm a.mprof >out 2>err || fail "rm: $(cat err)"
assert_eq "rm says" "1 recording removed" "$(cat out)"
assert_eq "rm" "" "$(find . -name 'a.*')"
stub a.mprof "$PROGRAMS/single"
"$MPROF" rm a.mprof.spool >out 2>err || fail "rm of the file: $(cat err)"
assert_eq "rm of the file" "" "$(find . -name 'a.*')"

# A child's goes with the root, by its number or, where the recorder gives the name, by the moment in it.
preload f.mprof dash -c "MPROF_LIMIT=1 $PROGRAMS/single; :" >/dev/null
[ -e f.mprof.1.spool ] || fail "no stub of a child: $(ls)"
"$MPROF" rm f.mprof >out 2>err || fail "rm of a family: $(cat err)"
assert_eq "rm of a family" "" "$(find . -name 'f.*')"
mkdir default && cd default || fail cd
LD_PRELOAD=$LIB dash -c "MPROF_LIMIT=1 $PROGRAMS/single; :" >/dev/null
MPROF_LIMIT=1 LD_PRELOAD=$LIB "$PROGRAMS/single" >/dev/null
stub named.mprof "$PROGRAMS/single"
assert_eq "default names" 4 "$(find . -name '*.spool' | wc -l)"
"$MPROF" clean >out 2>err || fail "clean: $(cat err)"
assert_eq "clean" "./named.mprof.spool" "$(find . -type f ! -name out ! -name err)"
cd ..

# run -o takes the name that it is told.
stub r.mprof dash -c "MPROF_OUTPUT=r.mprof $PROGRAMS/single; :"
assert_eq "stubs of a family" "r.mprof.1.spool r.mprof.spool " "$(ls r.* | tr '\n' ' ')"
run_as r.mprof "$PROGRAMS/single" >/dev/null || fail "run -o: $?"
assert_eq "run -o" "r.mprof" "$(find . -name 'r.mprof*' -printf '%f\n' | tr '\n' ' ' | sed 's/ $//')"
assert_eq "run -o: allocations" 18 "$(json r.mprof totals.allocations)"

# Whatever else has such a name stays, and one that a recorder may be at.
echo precious >p.mprof.spool
assert_refused 1 "$MPROF" rm p.mprof
head -c 8000 /dev/zero >z.mprof.spool
assert_refused 1 "$MPROF" rm z.mprof
stub w.mprof "$PROGRAMS/single"
exec 7>>w.mprof.spool
assert_refused 1 "$MPROF" rm w.mprof
exec 7>&-
"$MPROF" rm w.mprof >/dev/null || fail "rm once nobody is at it"
assert_eq "files" "p.mprof.spool z.mprof.spool" "$(ls -d [pwz].* | tr '\n' ' ' | sed 's/ $//')"
