#!/bin/bash
# make install: what is installed finds its library and works; DESTDIR and PREFIX are honoured.
. "$TESTS/e2e/lib.sh"

build=$(dirname "$MPROF")
top=$TESTS/..
root=$PWD/root
make -s -C "$top" B="$build" install PREFIX=/usr DESTDIR="$root" >make.out 2>&1 || fail "make install: $(cat make.out)"
for file in bin/mprof-c share/man/man1/mprof-c.1 share/man/man7/libmprof.7; do
    find "$root/usr" -path "*/$file*" | grep -q . || fail "$file is not installed: $(find root -type f)"
done
library=$(find "$root/usr" -name libmprof.so)
[ -n "$library" ] || fail "the library is not installed"
find "$root" -path '*bash-completion*' | grep -q . || fail "no shell completion"

# Moved as a whole it still works: the library is found beside or near the program.
"$root/usr/bin/mprof-c" run -q -o x.mprof "$PROGRAMS/single" >out || fail "the installed mprof-c"
assert_eq "recorded" 18 "$("$root/usr/bin/mprof-c" report --json x.mprof | json_of totals.allocations)"

# The completion is a script that bash takes, and names the commands.
completion=$(find "$root" -path '*bash-completion*' -type f)
bash -n "$completion" || fail "the completion is no bash"
grep -q leaks "$completion" || fail "the completion does not know the commands"
