#!/bin/bash
# operator new and delete: each caller gets the provider that it would have without us, and a block goes back to
# the one it came from, in C programs with C++ plugins, with weak references, with providers that come and go.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"
not_sanitized "allocators that are preloaded into it come behind its sanitizer's, and crash"

unchanged() { # what, command..
    local what=$1 way got
    shift
    rm -f ./*.mprof ./*.spool
    "$@" >plain.out 2>plain.err
    got=$?
    assert_eq "$what: the program itself ($(cat plain.err))" 0 $got
    for way in preload run; do
        if [ $way = preload ]; then
            MPROF_OUTPUT=preload.mprof LD_PRELOAD=$LIB${LD_PRELOAD:+:$LD_PRELOAD} "$@" >$way.out 2>$way.err
        else
            "$MPROF" run -q -o run.mprof -- "$@" >$way.out 2>$way.err
        fi
        got=$?
        assert_eq "$what, $way: status ($(cat $way.err))" 0 $got
        assert_same "$what, $way: output" plain.out $way.out
        assert_same "$what, $way: errors" plain.err $way.err
    done
}

function_of() { # recording, name, key: a figure of a function itself
    "$MPROF" report --json "$1" | /usr/bin/python3 -c '
import json, sys
print(sum(f["self"][sys.argv[2]] for f in json.load(sys.stdin)["functions"] if f["name"].startswith(sys.argv[1])))' "$2" "$3"
}

# ---- a C host calls a plugin by tail calls ----

cat >tail.cc <<'END_OF_SOURCE'
#include <new>
extern "C" {
char *make() { return new char; }
char *make_many() { return new char[100]; }
void drop(char *p) { delete p; }
void drop_many(char *p) { delete[] p; }
struct alignas(64) aligned { char c[64]; };
aligned *make_aligned() { return new aligned; }
void drop_aligned(aligned *p) { delete p; }
char *make_quietly() { return new (std::nothrow) char; }
}
END_OF_SOURCE
g++ -O2 -std=c++17 -g -shared -fPIC -o tail.so tail.cc || fail "g++"
cat >host.py <<'END_OF_SOURCE'
import ctypes
library = ctypes.CDLL("./tail.so")
for make, drop in (("make", "drop"), ("make_many", "drop_many"), ("make_aligned", "drop_aligned"), ("make_quietly", "drop")):
    maker, dropper = library[make], library[drop]
    maker.restype, dropper.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    for i in range(10):
        dropper(maker())
print("ok")
END_OF_SOURCE
unchanged "tail calls" /usr/bin/python3 host.py
assert_clean run.mprof

# ---- plugins with providers of their own, closed and loaded again elsewhere ----

# Each has an arena; a block of another one's is told.
cat >own.cc <<'END_OF_SOURCE'
#include <cstdio>
#include <cstdlib>
#include <new>
static char arena[1 << 16];
static size_t used;
void *operator new(size_t bytes)
{
    used += (bytes + 15) & ~size_t(15);
    return arena + used - ((bytes + 15) & ~size_t(15));
}
void operator delete(void *p) noexcept
{
    if (p && (static_cast<char *>(p) < arena || p >= arena + sizeof arena)) {
        std::puts("a block of somebody else's");
        std::abort();
    }
}
void operator delete(void *p, size_t) noexcept { operator delete(p); }
extern "C" {
void *make(void) { return new long; }
void drop(void *p) { delete static_cast<long *>(p); }
long taken(void) { return (long)used; }
}
END_OF_SOURCE
# Linked with libstdc++ itself: its own functions come down to malloc.
cat >inside.cc <<'END_OF_SOURCE'
#include <string>
#include <vector>
extern "C" {
void *make(void) { return new std::vector<std::string>(10, std::string(100, 'x')); }
void drop(void *p) { delete static_cast<std::vector<std::string> *>(p); }
long taken(void) { return 0; }
}
END_OF_SOURCE
cat >host.c <<'END_OF_SOURCE'
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
static void use(void *library, const char *name)
{
    void *(*make)(void) = (void *(*)(void))dlsym(library, "make");
    void (*drop)(void *) = (void (*)(void *))dlsym(library, "drop");
    long (*taken)(void) = (long (*)(void))dlsym(library, "taken");
    void *p[20];
    for (int i = 0; i < 20; i++)
        p[i] = make();
    for (int i = 0; i < 20; i++)
        drop(p[i]);
    printf("%s: %ld\n", name, taken());
}
int main(int argc, char **argv)
{
    for (int turn = 0; turn < 4; turn++) {
        void *open[8] = {NULL};
        for (int i = 1; i < argc; i++) {
            if (!(open[i] = dlopen(argv[i], RTLD_NOW | RTLD_LOCAL | (turn == 3 ? RTLD_DEEPBIND : 0)))) {
                puts(dlerror());
                return 1;
            }
            use(open[i], argv[i]);
        }
        for (int i = 1; i < argc; i++)
            use(open[i], argv[i]);
        for (int i = 1; i < argc; i++)
            dlclose(open[i]);
        /* the next turn's lie elsewhere */
        mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    return 0;
}
END_OF_SOURCE
gcc -D_GNU_SOURCE -O1 -g -o host host.c || fail "gcc"
g++ -O2 -g -shared -fPIC -o own1.so own.cc || fail "g++"
g++ -O2 -g -shared -fPIC -o own2.so own.cc -DANOTHER || fail "g++"
g++ -O2 -g -shared -fPIC -static-libstdc++ -static-libgcc -o inside.so inside.cc || fail "g++"
g++ -O2 -g -shared -fPIC -o shared.so inside.cc || fail "g++"
unchanged "a provider of its own" ./host ./own1.so
unchanged "two of them" ./host ./own1.so ./own2.so
unchanged "libstdc++ inside" ./host ./inside.so
assert_clean run.mprof
assert_clean preload.mprof
assert_at_least "blocks of plugins" 1000 "$(json run.mprof totals.allocations)"
unchanged "libstdc++ beside" ./host ./shared.so
assert_clean run.mprof
unchanged "all kinds" ./host ./inside.so ./own1.so ./own2.so
unchanged "all kinds, the other way round" ./host ./own2.so ./own1.so ./inside.so

# The same plugins in a C++ program: libstdc++ comes first for them, but where they are bound deeply.
g++ -D_GNU_SOURCE -O1 -g -fpermissive -w -o host++ -xc++ host.c || fail "g++"
unchanged "a C++ host" ./host++ ./inside.so ./shared.so

# An allocator with operators of its own behind us: they are hooked, and every block is recorded.
jemalloc=$(gcc -print-file-name=libjemalloc.so.2)
[ -e "$jemalloc" ] || fail "libjemalloc.so.2 is not there"
LD_PRELOAD=$(readlink -f "$jemalloc") unchanged "jemalloc" ./host++ ./shared.so
assert_clean run.mprof
assert_eq "jemalloc: blocks of make, run" 160 "$(function_of run.mprof make allocations)"
assert_eq "jemalloc: blocks of make, preloaded" 160 "$(function_of preload.mprof make allocations)"

# ---- weak references ----

cat >weak.h <<'END_OF_SOURCE'
#include <dlfcn.h>
#include <stdio.h>
#define WEAK extern __attribute__((weak))
WEAK void *new_(unsigned long) __asm__("_Znwm");
WEAK void delete_(void *) __asm__("_ZdlPv");
WEAK void *aligned_(unsigned long, unsigned long) __asm__("_ZnwmSt11align_val_t");
WEAK void free_sized(void *, unsigned long);
WEAK void *calloc(unsigned long, unsigned long);
static void *const table[] = {(void *)new_, (void *)free_sized};
static void look(const char *who)
{
    printf("%s: %d %d %d %d %d %d %d\n", who, new_ != 0, delete_ != 0, aligned_ != 0, free_sized != 0, calloc != 0,
           *(void *const volatile *)&table[0] != 0, *(void *const volatile *)&table[1] != 0);
}
END_OF_SOURCE
printf '#include "weak.h"\nvoid library(void) { look("library"); }\nvoid *keep;\nvoid *malloc(unsigned long); __attribute__((constructor)) static void c(void) { keep = malloc(10); library(); }\n' >weak_library.c
printf '#include "weak.h"\nvoid library(void);\nint main(void) { look("program"); library(); void *h = dlopen("./shared.so", RTLD_NOW);\nlook("later"); printf("%%d %%d %%d\\n", h != 0, dlsym(RTLD_DEFAULT, "_Znwm") != 0, dlsym(RTLD_DEFAULT, "free_sized") != 0); return 0; }\n' >weak.c
for flags in "" "-Wl,-z,now" "-Wl,-z,lazy -Wl,-z,norelro"; do
    # shellcheck disable=SC2086
    gcc -O1 -g -shared -fPIC $flags -o weak_library.so weak_library.c || fail "gcc"
    # shellcheck disable=SC2086
    gcc -D_GNU_SOURCE -O1 -g $flags -o weak weak.c ./weak_library.so || fail "gcc"
    # shellcheck disable=SC2086
    gcc -D_GNU_SOURCE -O1 -g -no-pie $flags -o weak_fixed weak.c ./weak_library.so || fail "gcc"
    unchanged "weak references $flags" ./weak
    assert_contains "they are null" "program: 0 0 0" plain.out
    unchanged "weak references, fixed $flags" ./weak_fixed
done
# Addresses within code: ld.so makes it writable for a moment, and so must we.
gcc -O1 -g -fno-pic -mcmodel=large -shared -Wl,-z,notext -o weak_library.so weak_library.c || fail "gcc"
readelf -dW weak_library.so | grep -q TEXTREL || fail "the library has no relocations in its code"
gcc -D_GNU_SOURCE -O1 -g -o weak weak.c ./weak_library.so || fail "gcc"
unchanged "weak references in code" ./weak
assert_contains "they are null in code, too" "library: 0 0 0" plain.out
g++ -O1 -g -w -fpermissive -o weak++ -xc++ - -xnone ./weak_library.so <<'END_OF_SOURCE' || fail "g++"
#include <string>
extern "C" void library(void);
int main(int argc, char **argv) { std::string s(100 + argc, 'x'); library(); return s.empty(); }
END_OF_SOURCE
unchanged "weak references in a C++ program" ./weak++
assert_contains "they are not null" "library: 1 1 1" plain.out
