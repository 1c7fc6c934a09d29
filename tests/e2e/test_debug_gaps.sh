#!/bin/bash
# Debug information that is there and cannot be read: names are those of the symbol table, and the report says why no more.
. "$TESTS/e2e/lib.sh"

cat >app.c <<'END'
#include <stdlib.h>
static void *volatile kept;
static inline __attribute__((always_inline)) void *inlined(int n) { return malloc(n); }
__attribute__((noinline)) void work(int n) { kept = inlined(n); }
int main(void) { work(100); kept = 0; return 0; }
END

# What the recording NAME says of ./NAME: the reason ("" none), and whether the inlined function is known.
check() { # name, reason, inlined
    run_as "$1.mprof" "./$1"
    assert_eq "$1: the reason" "$2" "$("$MPROF" report --json "$1.mprof" | /usr/bin/python3 -c '
import json, sys
print(*(m["missing"] + ": " + m["reason"] for m in json.load(sys.stdin)["modules"] if m["module"].endswith("/" + sys.argv[1])))' "$1")"
    assert_eq "$1: inlined" "$3" "$("$MPROF" leaks "$1.mprof" | grep -c ' inlined ')"
    "$MPROF" report "$1.mprof" >report.txt && "$MPROF" leaks "$1.mprof" >leaks.txt
    assert_contains "$1: names" " work " report.txt
    [ -z "$2" ] || assert_contains "$1: the report" "no debug information of $1: ${2:19:12}" report.txt
    assert_eq "$1: counted" $((${#2} > 0)) "$(json "$1.mprof" quality.undebugged_modules)"
    [ -z "$2" ] || assert_contains "$1: the leaks" "no debug information of $1: ${2:19:12}" leaks.txt
}

gcc -O1 -g -o whole app.c || fail gcc
check whole "" 1
strip -g -o nothing whole
check nothing "" 0

for flags in "-gdwarf-5 -gsplit-dwarf" "-gdwarf-4 -gsplit-dwarf"; do
    # shellcheck disable=SC2086
    gcc -O1 $flags -c -o app.o app.c && gcc -o split app.o || fail "gcc $flags"
    check split "" 1
    mkdir -p kept
    : >split.dwp # is not looked into
    mv app.dwo kept
    check split "debug information: it is in a .dwp file, which elfutils does not read; keep the .dwo files" 0
    rm split.dwp
    check split "debug information: its .dwo files are gone" 0
done

# An elfutils that reads zstd has no reason.
if objcopy --compress-debug-sections=zstd whole zstd 2>/dev/null && readelf -SW zstd | grep -q 'debug_info.* C '; then
    run_as probe ./zstd
    if "$MPROF" leaks probe | grep -q ' inlined '; then
        check zstd "" 1
    else
        check zstd "debug information: it is compressed with zstd, which this elfutils does not read; use zlib" 0
    fi
fi

# Of the 64-bit format lines are known, or the reason is told.
gcc -O1 -g -gdwarf64 -o wide app.c || fail "gcc -gdwarf64"
run_as probe ./wide
if "$MPROF" leaks probe | grep -q ' inlined '; then
    check wide "" 1
else
    check wide "debug information: elfutils does not read its 64-bit format; compile without -gdwarf64" 0
fi

# Damaged.
objcopy --update-section .debug_info=<(head -c 300 /dev/zero) whole damaged 2>/dev/null ||
    { head -c 300 /dev/zero >zeros && objcopy --update-section .debug_info=zeros whole damaged; }
check damaged "debug information: it is damaged" 0
