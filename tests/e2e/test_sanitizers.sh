#!/bin/bash
# Programs with sanitizers, by gcc and clang, runtimes shared and linked in: `run` says in one sentence that
# it does not record them, plain preload leaves them alone. Output, status and the sanitizer's own report,
# stacks included, are those of a plain run. UBSan's runtime has no allocator: recorded as any program.
# TIMEOUT 600
. "$TESTS/e2e/lib.sh"

cat >victim.cc <<'END_OF_VICTIM'
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <string>
#include <vector>
static int shared;
static volatile char *volatile block;
static void *works(void *p)
{
    std::vector<std::string> names;
    for (int i = 0; i < 100; i++)
        names.push_back(std::string(50 + i, 'x'));
    void *grown = reallocarray(realloc(malloc(10), 1000), 10, 500);
    char *copy = strdup("copied");
    std::printf("%zu %s\n", names.size(), copy);
    std::fflush(stdout);
    free(copy), free(grown);
    return p;
}
static void *races(void *p)
{
    for (int i = 0; i < 1000; i++)
        shared++;
    return p;
}
/* Nothing on the stack or in a register points to the block any more. */
static __attribute__((noinline)) void leaks(int depth)
{
    char frame[4000];
    memset(frame, depth, sizeof frame);
    if (depth == 9)
        memset((void *)malloc(7777), 1, 7777);
    if (depth)
        leaks(depth - 1);
    block[frame[depth] & 7] = 1;
}
static void wrong(const char *how)
{
    block = (char *)malloc(20);
    volatile char *p = block;
    if (!strcmp(how, "after"))
        free((void *)p), p[3] = 1;
    else if (!strcmp(how, "unset"))
        std::printf(p[2] ? "a\n" : "b\n");
    else if (!strcmp(how, "overflows"))
        std::printf("%d\n", 2147483647 + (int)strlen(how));
    else if (!strcmp(how, "race")) {
        pthread_t a, b;
        pthread_create(&a, nullptr, races, nullptr), pthread_create(&b, nullptr, races, nullptr);
        pthread_join(a, nullptr), pthread_join(b, nullptr);
    } else if (!strcmp(how, "leak"))
        leaks(10);
}
int main(int, char **arguments)
{
    pthread_t thread;
    works(nullptr);
    pthread_create(&thread, nullptr, works, nullptr), pthread_join(thread, nullptr);
    if (arguments[1])
        wrong(arguments[1]);
    std::puts("it ran");
    return 3;
}
END_OF_VICTIM

# What differs from run to run: pids, addresses; and the neighbours' bytes, for ld.so frees a block of its own
# when we have looked for functions.
without_numbers() { # file
    sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/\b(pid|tid|PID|TID)[ =]+[0-9]+/\1/g; s/==[0-9]+==/==/; s/\[[0-9]+\]//g' "$1" |
        grep -Ev '^(=>|  )ADDRESS: [0-9a-f]{2}[] []'
}

# Nothing of ours may be seen in the sanitizer's report.
assert_left_alone() { # name, word of the sentence or "", command..
    local name=$1 word=$2 way status got
    shift 2
    "$@" >plain.out 2>plain.err
    status=$?
    without_numbers plain.err >plain.report
    rm -f ./*.mprof ./*.spool
    MPROF_OUTPUT=$name.mprof LD_PRELOAD=$LIB "$@" >preload.out 2>preload.err
    got=$?
    assert_eq "$name, preloaded: status ($(head -n 3 preload.err))" $status $got
    "$MPROF" run -q -o run.mprof -- "$@" >run.out 2>run.all
    assert_eq "$name, run: status" $status $?
    grep -v '^mprof-c: ' run.all >run.err
    if [ -n "$word" ]; then
        assert_eq "$name: sentences ($(cat run.all))" 1 "$(grep -c '^mprof-c: ' run.all)"
        grep '^mprof-c: ' run.all | grep -q "$word" || fail "$name: no '$word' in: $(cat run.all)"
    else
        assert_eq "$name: sentences ($(cat run.all))" 0 "$(grep -c '^mprof-c: ' run.all)"
    fi
    for way in preload run; do
        assert_same "$name, $way: output" plain.out $way.out
        without_numbers $way.err >$way.report
        case $* in
        *race) assert_eq "$name, $way: races reported" "$(grep -c 'WARNING: ThreadSan' plain.err)" "$(grep -c 'WARNING: ThreadSan' $way.err)" ;;
        *) assert_same "$name, $way: report" plain.report $way.report ;;
        esac
        ! grep -q libmprof $way.err || fail "$name, $way: we are in the report: $(cat $way.err)"
    done
}

build() { # name, compiler and flags..
    local name=$1
    shift
    "$@" -g -O0 -Wno-all -w -pthread -o "$name" victim.cc 2>build.err || fail "cannot build $name: $(head -n 5 build.err)"
}

# Reports without the symbolizer's lines, which take a second each: addresses do.
export ASAN_OPTIONS=symbolize=0 LSAN_OPTIONS=symbolize=0 MSAN_OPTIONS=symbolize=0 TSAN_OPTIONS=symbolize=0
clang_runtimes=$(dirname "$(clang -print-file-name=libclang_rt.asan-x86_64.so)")

build asan g++ -fsanitize=address
build asan-in g++ -fsanitize=address -static-libasan
build asan-clang clang++ -fsanitize=address
build asan-clang-shared clang++ -fsanitize=address -shared-libsan -Wl,-rpath,"$clang_runtimes"
for name in asan asan-in asan-clang asan-clang-shared; do
    assert_left_alone $name AddressSanitizer ./$name
    assert_left_alone $name AddressSanitizer ./$name after
    grep -q heap-use-after-free preload.err || fail "$name: its error was not found: $(cat preload.err)"
    assert_left_alone $name AddressSanitizer ./$name leak
    grep -q '7777 byte' preload.err || fail "$name: its leak was not found: $(cat preload.err)"
done
build tsan g++ -fsanitize=thread
build tsan-in g++ -fsanitize=thread -static-libtsan
build tsan-clang clang++ -fsanitize=thread
for name in tsan tsan-in tsan-clang; do
    assert_left_alone $name ThreadSanitizer ./$name
    assert_left_alone $name ThreadSanitizer ./$name race
done
build lsan g++ -fsanitize=leak
build lsan-clang clang++ -fsanitize=leak
for name in lsan lsan-clang; do
    assert_left_alone $name LeakSanitizer ./$name
    assert_left_alone $name LeakSanitizer ./$name leak
    grep -q '7777 byte' preload.err || fail "$name: its leak was not found: $(cat preload.err)"
done
build msan-clang clang++ -fsanitize=memory
assert_left_alone msan-clang MemorySanitizer ./msan-clang
assert_left_alone msan-clang MemorySanitizer ./msan-clang unset
build ubsan g++ -fsanitize=undefined
build ubsan-clang clang++ -fsanitize=undefined
for name in ubsan ubsan-clang; do
    assert_left_alone $name "" ./$name overflows
    grep -q overflow preload.err || fail "$name: its error was not found: $(cat preload.err)"
    assert_at_least "$name: allocations, preloaded" 200 "$(json $name.mprof totals.allocations)"
    assert_eq "$name: allocations" "$(json $name.mprof totals.allocations)" "$(json run.mprof totals.allocations)"
done
