#!/bin/bash
# Names as a report shows them: template arguments stay, no two rows look alike, only a compiler's own suffixes go, and a
# name may begin with a dollar.
. "$TESTS/e2e/lib.sh"

# Each row of a report with what is printed below its name; none may come twice.
rows() { # recording
    "$MPROF" report -n 1000 "$1" | awk '/^ *[0-9]+  /{ if (row != "") print row; row = $0; sub(/^ *[0-9]+  /, "", row); next }
        /^ incl/{ if (row != "") print row; row = "" } row != "" { row = row " " $0 } END { if (row != "") print row }' |
        tr -s ' '
}

assert_no_twins() { # what, recording
    local twins
    twins=$(rows "$2" | sort | uniq -d)
    [ -z "$twins" ] || fail "$1: rows that look alike: $twins"
}

cat >templates.cc <<'END'
#include <cstdlib>
#include <map>
#include <string>
#include <vector>
static void *volatile kept;
namespace shop {
template <typename K, typename V> struct Box {
    __attribute__((noinline)) void open(const V &, const K &) { kept = malloc(1000); }
};
template <int N> __attribute__((noinline)) void shelf(std::map<std::string, int> *, std::vector<std::string> *, long *)
{
    kept = malloc(100 + N);
}
struct Overloaded {
    __attribute__((noinline)) void put(std::map<std::string, std::vector<std::string>> *, std::string *, char, int) { kept = malloc(1); }
    __attribute__((noinline)) void put(std::map<std::string, std::vector<std::string>> *, std::string *, char, long) { kept = malloc(2); }
};
}
int main()
{
    using namespace shop;
    Box<std::string, int>().open(1, "");
    Box<std::string, std::map<int, std::vector<std::string>>>().open({}, "");
    Box<std::string, std::map<int, std::vector<std::vector<int>>>>().open({}, "");
    Box<std::string, std::map<long, std::vector<std::vector<int>>>>().open({}, "");
    shelf<1>(0, 0, 0), shelf<2>(0, 0, 0);
    Overloaded().put(0, 0, 'a', 1), Overloaded().put(0, 0, 'a', 1L);
    auto one = [](int n) __attribute__((noinline)) { kept = malloc(n); };
    auto two = [](int n) __attribute__((noinline)) { kept = malloc(n); };
    one(1), two(2);
}
END
for flags in "-g" "-g0" "-g1"; do
    g++ -std=c++17 -O1 $flags -o templates templates.cc || fail "g++ $flags"
    run_as templates.mprof ./templates
    assert_no_twins "templates $flags" templates.mprof
    assert_eq "boxes $flags" 4 "$(rows templates.mprof | grep -c 'Box<.*::open')"
    assert_eq "shelves $flags" 2 "$(rows templates.mprof | grep -cE 'shelf<[12]>')"
done
"$MPROF" peak --func Box::open templates.mprof >peak.out || fail "peak: $(cat peak.out)"
assert_eq "lines of peak" 4 "$(grep -c 'Box' peak.out)"

# Static functions of one name in two files, with debug information and without.
for n in 1 2; do
    printf '#include <stdlib.h>\nstatic void *volatile kept;\nstatic __attribute__((noinline)) void fill(void) { kept = malloc(%s000); }\nvoid go%s(void) { fill(); kept = 0; }\n' $n $n >fill$n.c
done
echo 'void go1(void), go2(void); int main(void) { go1(); go2(); return 0; }' >go.c
for flags in "-g" "-g0"; do
    gcc -O1 $flags -o fill fill1.c fill2.c go.c || fail "gcc $flags"
    run_as fill.mprof ./fill
    assert_no_twins "static functions $flags" fill.mprof
    assert_eq "of two files $flags" "1000 2000" "$("$MPROF" report --json fill.mprof | /usr/bin/python3 -c '
import json, sys
print(*sorted(f["self"]["allocated_bytes"] for f in json.load(sys.stdin)["functions"] if f["name"].startswith("fill")))')"
    assert_eq "peak of both $flags" 2 "$("$MPROF" peak --func fill fill.mprof | cut -f 4,5 | grep fill | sort -u | wc -l)"
    "$MPROF" plot -o fill.svg fill.mprof || fail plot
    # shellcheck disable=SC2086
    assert_eq "labels $flags" 2 "$(grep -oE '>fill[^<]*<' fill.svg | sort -u | wc -l)"
done

# Swift's names, mapping symbols' names, and names with dots of their own.
n=0
{
    printf '.text\n.globl main\n.type main,@function\nmain: .cfi_startproc\nsub $8,%%rsp\n.cfi_def_cfa_offset 16\n'
    printf 'call .L%s\n' 1 2 3 4 5 6
    printf 'xor %%eax,%%eax\nadd $8,%%rsp\nret\n.cfi_endproc\n.size main,.-main\n'
    # shellcheck disable=SC2016
    for symbol in '$s4main3fooyyF' '$x' pkg.part.of zig.llvm.b made.constprop.0.isra.1 whole.part.0.cold; do
        n=$((n + 1))
        printf '.type "%s",@function\n"%s": .L%s: .cfi_startproc\nsub $8,%%rsp\n.cfi_def_cfa_offset 16\n' "$symbol" "$symbol" $n
        printf 'mov $%s,%%edi\ncall malloc@PLT\nadd $8,%%rsp\nret\n.cfi_endproc\n.size "%s",.-"%s"\n' $n "$symbol" "$symbol"
    done
    echo '.section .note.GNU-stack,"",@progbits'
} >dollars.s
gcc -o dollars dollars.s || fail gcc
run_as dollars.mprof ./dollars
# shellcheck disable=SC2016
assert_eq "names" '$s4main3fooyyF $x made main pkg.part.of whole zig.llvm.b' "$(rows dollars.mprof | grep -v '+0x\|^_' |
    awk '{ print $1 }' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
