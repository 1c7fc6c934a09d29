#!/bin/bash
# Names and lists beyond all reason are recorded, and what was recorded can be read: by every command, and the spool by the
# second reader. What was shortened is counted and said.
# TIMEOUT 120
. "$TESTS/e2e/lib.sh"

# Every command reads it, and the figures are right.
check_readable() { # recording, allocations
    local command
    assert_eq "$1: allocations" "$2" "$(json "$1" totals.allocations)"
    for command in report leaks peak 'leaks --json' 'peak --json' 'plot -w 0,1'; do
        "$MPROF" $command "$1" >command.out 2>command.err </dev/null || fail "$1: $command: $(cat command.err)"
    done
    "$MPROF" report --json "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null || fail "$1: not UTF-8"
}

# Both ways, and the second reader.
record() { # name, command..
    local name=$1
    shift
    "$MPROF" run -q -o "run-$name" -- "$@" >/dev/null || fail "$name: run: status $?"
    preload "$name" "$@" >/dev/null || fail "$name: status $?"
    "$TESTS/spool_reader.py" "$name.spool" >reader.json || fail "$name, second reader: $(cat reader.json)"
    assert_eq "$name: allocations" "$(json_of processes.0.allocations <reader.json)" "$(json "$name" totals.allocations)"
    assert_eq "$name: both ways" "$(json "$name" totals.allocations)" "$(json "run-$name" totals.allocations)"
}

# A C function whose name has a MiB; with lines, and by its symbol alone.
long=$(head -c 1048576 /dev/zero | tr '\0' n)
printf '#include <stdlib.h>\nvoid *volatile kept;\nvoid *%s(void) { return kept = malloc(10); }\nint main(void) { %s(); return 0; }\n' \
    "$long" "$long" >long.c
for flags in -g0 -g; do
    gcc -O0 $flags -o long long.c || fail "gcc: a name of a MiB"
    record long$flags.mprof ./long
    for name in long$flags.mprof run-long$flags.mprof; do
        check_readable $name 1
        assert_eq "$name: shortened" 1 "$(json $name quality.shortened)"
        "$MPROF" report $name >report.out
        assert_contains "$name: report" "1 shortened name" report.out
        assert_eq "$name: bytes of the longest name" 8190 \
            "$("$MPROF" report --json $name | grep -o 'nnnn*[.0-9a-f]*nnn*' | awk '{ print length }' | sort -n | tail -n 1)"
    done
done

# Two of them that differ in the middle are two functions.
half=$(head -c 10000 /dev/zero | tr '\0' n)
printf '#include <stdlib.h>\nvoid *volatile kept;\nvoid *%sa%s(void) { return kept = malloc(1); }\nvoid *%sb%s(void) { return kept = malloc(2); }\nint main(void) { %sa%s(); %sb%s(); return 0; }\n' \
    "$half" "$half" "$half" "$half" "$half" "$half" "$half" "$half" >two.c
gcc -O0 -g -o two two.c || fail "gcc: two names"
record two.mprof ./two
check_readable two.mprof 2
assert_eq "two names, shortened" 2 "$(json two.mprof quality.shortened)"
assert_eq "two names" 2 "$("$MPROF" report --json two.mprof | grep -o '"name": "nnn[^"]*"' | sort -u | wc -l)"

# Ten thousand arguments, and one of 100 KB; a program in a folder of a long path.
mkdir -p "$(printf 'folder-%080d/%.0s' 1 2 3 4 5 6 7 8)"
deep=$(find . -name 'folder-*' -type d | tail -n 1)
cp "$PROGRAMS/single" "$deep/program"
record arguments.mprof "$deep/program" $(seq 10000)
check_readable arguments.mprof 18
record argument.mprof "$PROGRAMS/single" "$(head -c 100000 /dev/zero | tr '\0' z)"
check_readable argument.mprof 18

# A name that nests deeply, where the user's limit of the stack is low.
pointers=$(head -c 985 /dev/zero | tr '\0' P)
printf '#include <stdlib.h>\nvoid *volatile kept;\nvoid f(void) __asm__("_Z1f%si");\nvoid f(void) { kept = malloc(1); }\nint main(void) { f(); return 0; }\n' \
    "$pointers" >deep.c
gcc -O0 -g0 -o deep deep.c || fail "gcc: a deep name"
(
    ulimit -s 256
    record deep.mprof ./deep
    check_readable deep.mprof 1
    check_readable run-deep.mprof 1
) || exit 1

# A hundred thousand functions that allocate: tables of many blocks.
awk 'BEGIN {
    print ".text"
    for (i = 0; i < 100000; i++)
        printf "f%d: .cfi_startproc\nsub $8, %%rsp\n.cfi_adjust_cfa_offset 8\nmov $%d, %%edi\ncall malloc@PLT\n" \
               "add $8, %%rsp\n.cfi_adjust_cfa_offset -8\nret\n.cfi_endproc\n.type f%d, @function\n.size f%d, .-f%d\n", i, 1 + i % 100, i, i, i
    print ".section .data.rel.local, \"aw\"\n.globl table\ntable:"
    for (i = 0; i < 100000; i++)
        print ".quad f" i
    print ".section .note.GNU-stack, \"\", @progbits"
}' >many.s
printf 'extern void *(*table[])(void);\nint main(void) { for (int i = 0; i < 100000; i++) table[i](); return 0; }\n' >many.c
[ "$(uname -m)" = x86_64 ] || skip "the functions are written for x86-64"
gcc -o many many.c many.s || fail "gcc: 100,000 functions"
run_as many.mprof ./many
assert_eq "allocations" 100000 "$(json many.mprof totals.allocations)"
assert_eq "functions" 100001 "$("$MPROF" report --json -n 200000 many.mprof | grep -c '"name": "\(f[0-9]*\|main\)"')"
assert_eq "left out" 0 "$(json many.mprof quality.left_out)"
