#!/bin/bash
# Whose a mapping is: what an allocator maps is not counted on top of its blocks, however it comes to map; what the
# program maps counts once, wherever its call comes from.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"

# An allocator that never gives back: 16 MiB at a time, and 64 MiB in its constructor where CONSTRUCTOR is defined.
# Where SIGNAL is, it sends itself one in the middle.
cat >pool.c <<'END'
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
static char *at, *end;
static void more(size_t mib)
{
    at = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    end = at + (mib << 20);
}
#ifdef CONSTRUCTOR
__attribute__((constructor)) static void begin(void) { more(64); }
#endif
void *malloc(size_t n)
{
    n = (n + 31) & ~15ul;
#ifdef SIGNAL
    raise(SIGUSR1);
#endif
    if ((size_t)(end - at) < n)
        more(16);
    char *p = at + 16;
    at += n;
    ((size_t *)p)[-1] = n - 16;
    return p;
}
void free(void *p) { (void)p; }
void *calloc(size_t a, size_t b) { return malloc(a * b); }
void *realloc(void *old, size_t n)
{
    char *p = malloc(n);
    for (size_t i = 0; old && i < n && i < ((size_t *)old)[-1]; i++)
        p[i] = ((char *)old)[i];
    return p;
}
END
# One whose malloc ends in a jump to mmap.
cat >tail.c <<'END'
#include <stddef.h>
#include <sys/mman.h>
void *malloc(size_t n) { return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
void free(void *p) { (void)p; }
void *calloc(size_t a, size_t b) { return malloc(a * b); }
void *realloc(void *old, size_t n) { (void)old; return malloc(n); }
END
# One that stands between us and another.
cat >trace.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
void *malloc(size_t n)
{
    static void *(*next)(size_t);
    if (!next)
        next = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    void *volatile p = next(n);
    return p;
}
END
# operator new and delete alone, from memory of their own.
cat >newpool.cc <<'END'
#include <cstddef>
#include <sys/mman.h>
static char *at, *end;
void *operator new(size_t n)
{
    n = (n + 15) & ~15ul;
    if ((size_t)(end - at) < n) {
        at = (char *)mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        end = at + (16 << 20);
    }
    at += n;
    return at - n;
}
void *operator new[](size_t n) { return operator new(n); }
void operator delete(void *) noexcept {}
void operator delete[](void *) noexcept {}
void operator delete(void *, size_t) noexcept {}
void operator delete[](void *, size_t) noexcept {}
END
# Its mmap is a system call by its number, its sbrk libc's other one.
cat >wrap.c <<'END'
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t from)
{
    return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, from);
}
int munmap(void *at, size_t n) { return (int)syscall(SYS_munmap, at, n); }
void *__sbrk(intptr_t n);
void *sbrk(intptr_t n)
{
    void *volatile p = __sbrk(n);
    return p;
}
END
cat >blocks.c <<'END'
#include <stdlib.h>
int main(void)
{
    for (int i = 0; i < 300; i++)
        free(malloc(100 * 1024));
    return 0;
}
END
cat >news.cc <<'END'
#include <vector>
int main()
{
    std::vector<char *> all;
    for (int i = 0; i < 100; i++)
        all.push_back(new char[1000]);
    for (char *p : all)
        delete[] p;
    return 0;
}
END
# The program's own: 8 pages mapped by a thread that ends in a jump to mmap, so that the C library seems to call; 4 by
# a handler, also in the middle of a malloc; 6 by sbrk; of 20 mapped by main 5 go by a jump of the exit handler's.
cat >own.c <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#define PAGE 4096ul
static void *volatile block;
static char *p;
static void *map(size_t pages) { return mmap(NULL, pages * PAGE, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void *thread(void *unused) { (void)unused; return map(8); }
static void handler(int number) { (void)number; signal(SIGUSR1, SIG_IGN); map(4); }
static void drop(void) { munmap(p, 5 * PAGE); }
int main(void)
{
    pthread_t t;
    signal(SIGUSR1, handler);
    block = malloc(100);
    raise(SIGUSR1); /* no effect if that has been done in malloc */
    p = map(20);
    sbrk((intptr_t)(6 * PAGE - (unsigned long)sbrk(0) % PAGE));
    atexit(drop);
    return pthread_create(&t, NULL, thread, NULL) || pthread_join(t, NULL);
}
END
library() { # name, source, option..
    local name=$1 source=$2
    shift 2
    gcc -O2 -shared -fPIC -fno-builtin "$@" -o "lib$name.so" "$source" || fail "gcc of $source"
}
library pool pool.c
library ctor pool.c -DCONSTRUCTOR
library sending pool.c -DSIGNAL
library tail tail.c
library trace trace.c
library wrap wrap.c
library newpool newpool.cc
gcc -O0 -o blocks blocks.c && gcc -O2 -o own own.c -pthread && g++ -O0 -o news news.cc || fail "gcc"

# Nothing of it is mapped memory; its blocks are all there.
expect_blocks() { # what, recording, least of blocks
    assert_clean "$2"
    assert_eq "$1: mapped memory" 0 "$(json "$2" totals.mapped_peak_bytes)"
    assert_at_least "$1: blocks" "$3" "$(json "$2" totals.allocations)"
}

# The allocator is linked to the program, or preloaded behind us.
try() { # allocator, compiler, source, least of blocks
    local allocator=$1 compiler=$2 source=$3 least=$4 name=${3%.*}-$1
    $compiler -O0 -o "$name" "$source" -Wl,--no-as-needed -L. "-l$allocator" -Wl,-rpath,"$PWD" || fail "$compiler of $name"
    run_as "$name.mprof" "./$name" || fail "$name: status $?"
    expect_blocks "$name" "$name.mprof" "$least"
    MPROF_OUTPUT=$name.behind LD_PRELOAD="$LIB $PWD/lib$allocator.so" "./${source%.*}" ||
        fail "$name, the allocator behind us: status $?"
    expect_blocks "$name, the allocator behind us" "$name.behind" "$least"
}
for allocator in pool ctor tail; do
    try $allocator gcc blocks.c 300
    try $allocator g++ news.cc 100
done
MPROF_OUTPUT=traced LD_PRELOAD="$LIB $PWD/libtrace.so $PWD/libpool.so" ./blocks || fail "status $?"
expect_blocks "an allocator behind a wrapper" traced 300
MPROF_OUTPUT=newpool LD_PRELOAD="$LIB $PWD/libnewpool.so" ./news || fail "status $?"
expect_blocks "an operator new of its own" newpool 100
for real in libtcmalloc_minimal.so.4 libjemalloc.so.2; do
    path=$(/sbin/ldconfig -p | sed -n "s/^\t$real .*=> //p" | head -n 1)
    [ -n "$path" ] || continue
    MPROF_OUTPUT=real-$real LD_PRELOAD="$LIB $path" ./news || fail "news with $real: status $?"
    expect_blocks "news with $real" "real-$real" 100
done

expect_own() { # what, recording
    assert_clean "$2"
    assert_eq "$1: mappings" 4 "$(json "$2" totals.maps)"
    assert_eq "$1: the peak of mapped memory in pages" 38 "$(($(json "$2" totals.mapped_peak_bytes) / 4096))"
    assert_eq "$1: pages at the end" 33 "$(($(json "$2" totals.mapped_at_end_bytes) / 4096))"
}
run_as own.mprof ./own || fail "status $?"
expect_own "the program's mappings" own.mprof
for beside in sending wrap; do
    MPROF_OUTPUT=own-$beside LD_PRELOAD="$LIB $PWD/lib$beside.so" ./own || fail "own with $beside: status $?"
    expect_own "the program's mappings with $beside" "own-$beside"
done
