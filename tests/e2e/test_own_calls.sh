#!/bin/bash
# What the recorder and its libunwind call is libc's, whatever the program or a library before us has by that name:
# for each name a function that finds the next one in a constructor, so it cannot be called before, and counts.
# TIMEOUT 300
. "$TESTS/e2e/lib.sh"

# ---- by name the library asks for nothing that it calls ----

nm -D --undefined-only "$LIB" | sed 's/.* //; s/@.*//' | sort >asked
nm -D --defined-only "$(gcc -print-file-name=libc.so.6)" | sed -n 's/.* [TWi] \([^@]*\).*/\1/p' | sort -u >functions
# Found by name, one only to see whether it is there, the other where the list of objects is not ours to read.
printf '%s\n' dlsym gnu_get_libc_version >expected
comm -12 asked functions >got
assert_same "functions of libc that are asked for by name" expected got

# ---- and its libunwind, and what both once called, is not bound to others ----

cat >wrapper.c <<'END_OF_SOURCE'
extern void *dlsym(void *, const char *);
int calls;
static long (*next)(long, long, long, long, long, long);
__attribute__((constructor)) static void find(void) { next = dlsym((void *)-1L, NAME_TEXT); }
long NAME(long a, long b, long c, long d, long e, long f)
{
    calls++;
    return next(a, b, c, d, e, f);
}
END_OF_SOURCE
cat >program.c <<'END_OF_SOURCE'
extern void *malloc(unsigned long), free(void *);
extern int fork(void), wait(int *), execl(const char *, ...);
extern int calls;
int main(void)
{
    for (int i = 0; i < 20; i++)
        free(malloc(100));
    if (fork() == 0)
        execl("/bin/true", "true", (char *)0);
    wait(0);
    return calls & 127;
}
END_OF_SOURCE
gcc -O1 -w -fno-builtin -shared -fPIC -DNAME=nobody -DNAME_TEXT='"nobody"' -o libwrapper.so wrapper.c || fail "gcc"
gcc -O1 -w -fno-builtin -c program.c || fail "gcc"
gcc -o linked program.o -L. -lwrapper -Wl,-rpath,. || fail "gcc"

# Plain and preloaded, each event beside libunwind's walk: the same status, which is the number of calls seen.
unchanged() { # what, libraries before us, program
    local plain got
    LD_PRELOAD=$2 "$3" >plain.out 2>&1
    plain=$?
    rm -f ./*.spool
    MPROF_SELFCHECK=1 MPROF_OUTPUT=$PWD/x.mprof LD_PRELOAD="$2 $LIB" "$3" >got.out 2>&1
    got=$?
    assert_eq "$1: status ($(cat got.out))" $plain $got
    assert_same "$1: output" plain.out got.out
    [ -e x.mprof.spool ] || fail "$1: nothing was recorded"
}

libunwind=$(gcc -print-file-name=libunwind-x86_64.so.8)
[ -e "$libunwind" ] || libunwind=$(ldconfig -p | sed -n 's/.*libunwind-x86_64.so.8 .*=> //p' | head -n 1)
[ -e "$libunwind" ] || fail "libunwind-x86_64.so.8 is not there"
{
    nm -D --undefined-only "$libunwind" | sed 's/.* //; s/@.*//' | sort | comm -12 - functions
    printf '%s\n' abort dlopen fcntl getauxval getenv memchr memcmp memcpy memset mprotect pipe pthread_getcpuclockid \
        pthread_mutex_init pthread_once pthread_self strchr strcpy strcspn strlen strncmp strnlen strrchr strspn strstr \
        __cxa_finalize __errno_location __register_atfork
} | sort -u | grep -vxE 'malloc|calloc|realloc|free|dlsym' >names # what allocates: test_lookups.sh
assert_at_least "names" 40 "$(wc -l <names)"

while read -r name; do
    gcc -O1 -w -fno-builtin -DNAME="$name" -DNAME_TEXT="\"$name\"" -o own wrapper.c program.o || fail "gcc: $name"
    unchanged "$name of the program's" "" ./own
    gcc -O1 -w -fno-builtin -shared -fPIC -DNAME="$name" -DNAME_TEXT="\"$name\"" -o before.so wrapper.c || fail "gcc: $name"
    unchanged "$name of a library's before us" ./before.so ./linked
done <names

# ---- but the libraries that libunwind needs are the program's, too ----

cat >lzma.c <<'END_OF_SOURCE'
#include <dlfcn.h>
int main(void)
{
    void *library = dlopen("liblzma.so.5", RTLD_NOW);
    void *(*make)(const void *) = library ? (void *(*)(const void *))dlsym(library, "lzma_index_init") : 0;
    void (*end)(void *, const void *) = library ? (void (*)(void *, const void *))dlsym(library, "lzma_index_end") : 0;
    for (int i = 0; make && end && i < 1000; i++)
        end(make(0), 0);
    return make && end ? 0 : 77;
}
END_OF_SOURCE
gcc -O1 -o lzma lzma.c || fail "gcc"
run_as lzma.mprof ./lzma || fail "lzma: status $?"
assert_at_least "blocks of liblzma's" 1000 "$(json lzma.mprof totals.allocations)"
