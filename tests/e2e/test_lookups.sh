#!/bin/bash
# How the functions behind our hooks are found: without a call of anything that the program or another library
# may have put its own into, and by the version that the caller is bound to.
# TIMEOUT 240
. "$TESTS/e2e/lib.sh"
not_sanitized "wrappers of malloc that are preloaded into it come behind its sanitizer's, and crash"

# Plain, preloaded and run: the same status and output. OURS in the libraries is the recorder (nothing in a plain
# run; run puts it in front itself).
unchanged() { # what, expected status, libraries, command..
    local what=$1 want=$2 libraries=$3 way got
    shift 3
    rm -f ./*.mprof ./*.spool
    for way in plain preload run; do
        (
            case $way in
            plain) LD_PRELOAD=${libraries//OURS/} exec "$@" ;;
            preload) MPROF_OUTPUT=preload.mprof LD_PRELOAD=${libraries//OURS/$LIB} exec "$@" ;;
            run) LD_PRELOAD=${libraries//OURS/} exec "$MPROF" run -q -o run.mprof -- "$@" ;;
            esac
        ) >$way.out 2>$way.err
        got=$?
        assert_eq "$what, $way: status ($(cat $way.err))" "$want" $got
        assert_same "$what, $way: output" plain.out $way.out
        assert_same "$what, $way: errors" plain.err $way.err
    done
}

# ---- functions of the program that look for the next ones at their first call ----

cat >lazy_free.c <<'END_OF_SOURCE'
#include <dlfcn.h>
#include <stdlib.h>
static volatile int calls;
void free(void *p)
{
    static void (*next)(void *);
    calls++;
    if (!next)
        next = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    next(p);
}
int main(void)
{
    for (int i = 0; i < 2; i++) {
        void *volatile p = malloc(10 + i);
        free(p);
    }
    return calls;
}
END_OF_SOURCE
gcc -D_GNU_SOURCE -O1 -g -o lazy_free lazy_free.c || fail "gcc"
unchanged "a lazy free" 2 "" ./lazy_free

# All of them, in a library; and one that does it in its constructor and cannot be called before.
cat >wrapper.c <<'END_OF_SOURCE'
#include <dlfcn.h>
#include <stdlib.h>
#ifdef BY_CONSTRUCTOR
#define WHEN __attribute__((constructor)) static void
#define NEED(name)
#else
#define WHEN static void
#define NEED(name) if (!next_##name) find();
#endif
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);
static void *(*next_memalign)(size_t, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);
WHEN find(void)
{
    next_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    next_memalign = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "memalign");
    next_posix_memalign = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
    next_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    dlsym(RTLD_NEXT, "no_such_function"); /* its text is allocated, and freed by the next call */
    dlsym(RTLD_NEXT, "nor_this_one");
    dlerror();
}
void *realloc(void *p, size_t bytes) { NEED(realloc) return next_realloc(p, bytes); }
void *memalign(size_t a, size_t bytes) { NEED(memalign) return next_memalign(a, bytes); }
int posix_memalign(void **p, size_t a, size_t bytes) { NEED(posix_memalign) return next_posix_memalign(p, a, bytes); }
void free(void *p) { NEED(free) next_free(p); }
END_OF_SOURCE
cat >allocates.c <<'END_OF_SOURCE'
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    void *p = NULL, *volatile q = memalign(64, 100);
    free(realloc(q, 5000));
    if (posix_memalign(&p, 64, 200))
        return 1;
    free(p);
    const char *error = dlerror(); /* nobody else's */
    puts(error ? error : "no error");
    return dlsym(RTLD_DEFAULT, "nothing of this name") != NULL;
}
END_OF_SOURCE
gcc -D_GNU_SOURCE -O1 -g -o allocates allocates.c || fail "gcc"
gcc -D_GNU_SOURCE -O1 -g -shared -fPIC -o lazy.so wrapper.c || fail "gcc"
gcc -D_GNU_SOURCE -O1 -g -shared -fPIC -DBY_CONSTRUCTOR -o constructed.so wrapper.c || fail "gcc"
gcc -D_GNU_SOURCE -O1 -g -o linked allocates.c wrapper.c || fail "gcc"
gcc -D_GNU_SOURCE -O1 -g -DBY_CONSTRUCTOR -o linked_constructed allocates.c wrapper.c || fail "gcc"
unchanged "lazy functions of the program" 0 "" ./linked
unchanged "functions that the program's constructor finds" 0 "" ./linked_constructed
for wrapper in lazy constructed; do
    for order in "OURS:$PWD/$wrapper.so" "$PWD/$wrapper.so:OURS"; do
        unchanged "$wrapper functions, $order" 0 "$order" ./allocates
    done
done
unchanged "nothing of all that" 0 "" ./allocates

# ---- versions ----

# glibc's debugging malloc is bound to programs by its version, and dlsym does not show it.
checking=$(gcc -print-file-name=libc_malloc_debug.so.0)
[ -e "$checking" ] || fail "libc_malloc_debug.so.0 is not there"
checking=$(readlink -f "$checking")
cat >overflow.c <<'END_OF_SOURCE'
#include <stdlib.h>
#include <string.h>
int main(void)
{
    char *volatile p = malloc(24);
    memset(p, 1, 25);
    free(p);
    return 0;
}
END_OF_SOURCE
gcc -O0 -g -w -o overflow overflow.c || fail "gcc"
export MALLOC_CHECK_=3
unchanged "MALLOC_CHECK_" 134 "OURS:$checking" ./overflow
unset MALLOC_CHECK_
unchanged "no MALLOC_CHECK_" 0 "OURS:$checking" ./overflow
cat >traced.c <<'END_OF_SOURCE'
#include <mcheck.h>
#include <stdlib.h>
int main(void)
{
    mtrace();
    void *volatile p = malloc(12345);
    free(p);
    p = malloc(54321);
    muntrace();
    return 0;
}
END_OF_SOURCE
gcc -O0 -g -w -o traced traced.c || fail "gcc"
for way in plain preload run; do
    case $way in
    plain) MALLOC_TRACE=$way.trace LD_PRELOAD=$checking ./traced ;;
    preload) MALLOC_TRACE=$way.trace LD_PRELOAD=$LIB:$checking MPROF_OUTPUT=p.mprof ./traced ;;
    run) MALLOC_TRACE=$way.trace LD_PRELOAD=$checking "$MPROF" run -q -o r.mprof -- ./traced ;;
    esac
    assert_eq "mtrace, $way: blocks of ours" 2 "$(grep -c ' + .* 0x\(3039\|d431\)$' $way.trace)"
done
gcc -O0 -g -w -o checked -xc - <<'END_OF_SOURCE' || fail "gcc"
#include <mcheck.h>
#include <stdio.h>
#include <stdlib.h>
static void say(enum mcheck_status s) { printf("mcheck says %d\n", s); }
int main(void)
{
    if (mcheck(say))
        return 2;
    char *volatile p = malloc(24);
    p[24] = 1;
    printf("%d\n", mprobe(p));
    return 0;
}
END_OF_SOURCE
unchanged "mcheck" 0 "OURS:$checking" ./checked

# A program from before glibc 2.15 has scripts without #! run by the shell.
printf 'echo a script; exit 7\n' >script
chmod +x script
for version in 2.2.5 2.15; do
    gcc -O1 -g -o spawns$version -DVERSION="\"GLIBC_$version\"" -xc - <<'END_OF_SOURCE' || fail "gcc"
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
__asm__(".symver spawn, posix_spawn@" VERSION);
__asm__(".symver spawnp, posix_spawnp@" VERSION);
extern __typeof__(posix_spawn) spawn, spawnp;
int main(int argc, char **argv, char **envp)
{
    char *arguments[] = {"script", NULL};
    int (*spawns[])(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                    char *const *, char *const *) = {spawn, spawnp};
    for (int i = 0; i < 2; i++) {
        int status = 0;
        pid_t child;
        int error = spawns[i](&child, "./script", NULL, NULL, arguments, envp);
        if (!error)
            waitpid(child, &status, 0);
        printf("%s, %d\n", strerror(error), WEXITSTATUS(status));
    }
    return 0;
}
END_OF_SOURCE
    unchanged "posix_spawn@GLIBC_$version" 0 "" ./spawns$version
done
assert_contains "the newer one refuses it" "Exec format error" plain.out

# cfree is glibc's for old programs only, pthread_setname_np has two versions.
gcc -D_GNU_SOURCE -O1 -g -o old -pthread -xc - <<'END_OF_SOURCE' || fail "gcc"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
__asm__(".symver old_cfree, cfree@GLIBC_2.2.5");
__asm__(".symver old_name, pthread_setname_np@GLIBC_2.12");
extern void old_cfree(void *);
extern int old_name(pthread_t, const char *);
int main(void)
{
    char name[16] = "";
    for (int i = 0; i < 10; i++)
        old_cfree(malloc(100));
    printf("%d ", old_name(pthread_self(), "an old one"));
    pthread_getname_np(pthread_self(), name, sizeof name);
    puts(name);
    return 0;
}
END_OF_SOURCE
unchanged "old versions" 0 "" ./old
assert_clean run.mprof
assert_eq "live blocks of main" 0 "$("$MPROF" report --json run.mprof | /usr/bin/python3 -c '
import json, sys
print([f["self"]["live_at_end_blocks"] for f in json.load(sys.stdin)["functions"] if f["name"] == "main"][0])')"

# ---- a library behind us that tells of its calls ----

cat >teller.c <<'END_OF_SOURCE'
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
void *__sbrk(intptr_t);
void *sbrk(intptr_t increment)
{
    char text[40];
    write(1, text, (size_t)snprintf(text, sizeof text, "sbrk %ld\n", (long)increment));
    return __sbrk(increment);
}
END_OF_SOURCE
cat >breaks.c <<'END_OF_SOURCE'
#include <unistd.h>
int main(void)
{
    sbrk(100);
    sbrk(10000);
    sbrk(-10000);
    return 5;
}
END_OF_SOURCE
gcc -D_GNU_SOURCE -O1 -w -shared -fPIC -o libteller.so teller.c || fail "gcc"
gcc -D_GNU_SOURCE -O1 -g -o breaks breaks.c -L. -lteller -Wl,-rpath,"$PWD" || fail "gcc"
unchanged "an sbrk that tells of its calls" 5 "" ./breaks
