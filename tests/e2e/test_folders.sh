#!/bin/bash
# Folders that cannot be read or written: recorded programs run on, recordings are read all the same.
. "$TESTS/e2e/lib.sh"

[ "$(id -u)" = 0 ] || skip "needs root, to become a user who may not write"
cp "$MPROF" "$LIB" "$PROGRAMS/single" . && chmod 755 . mprof-c libmprof.so single
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
as_nobody test -x ./mprof-c || skip "the folder for temporary files is closed to other users"

mkdir locked
(cd locked && LD_PRELOAD=$LIB MPROF_OUTPUT=s.mprof "$PROGRAMS/single" >/dev/null && run_as c.mprof "$PROGRAMS/single" >/dev/null)
chmod 755 locked && chmod 644 locked/*

# Read where nothing can be written: the spool is collected in memory, and stays.
cd locked || exit 1
for name in s.mprof c.mprof; do
    as_nobody ../mprof-c report --json $name >../out 2>../err || fail "$name: $(cat ../err)"
    assert_eq "$name" 18 "$(json_of totals.allocations <../out)"
done
[ -f s.mprof.spool ] || fail "the spool went"
assert_eq "files" "c.mprof s.mprof.spool" "$(ls | tr '\n' ' ' | sed 's/ $//')"

# Recording where nothing can be written: run says so; the plain preload is silent and out of the way.
as_nobody ../mprof-c run -o new.mprof ../single >../out 2>../err
status=$?
if [ $status = 0 ]; then
    assert_eq "output of the program" "done" "$(cat ../out)"
else
    assert_eq "status where nothing can be written" 1 $status
fi
assert_eq "lines on standard error ($(cat ../err))" 1 "$(grep -c '^mprof-c: ' ../err)"
as_nobody env LD_PRELOAD="$PWD/../libmprof.so" ../single >../out 2>../err
assert_eq "preloaded: status" 0 $?
assert_eq "preloaded: output" "done" "$(cat ../out)"
assert_eq "preloaded: standard error" "" "$(cat ../err)"

# A file that may not be read.
chmod 600 c.mprof
assert_refused_there() { # command..
    as_nobody "$@" >../out 2>../err
    assert_eq "status of $*" 1 $?
    assert_eq "lines of $*: $(cat ../err)" 1 "$(wc -l <../err)"
}
assert_refused_there ../mprof-c report c.mprof
cd ..
chmod 700 locked
as_nobody ./mprof-c report locked/s.mprof >out 2>err
assert_eq "status in a folder that may not be searched" 1 $?
assert_eq "lines: $(cat err)" 1 "$(wc -l <err)"
