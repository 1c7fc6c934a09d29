#!/bin/bash
# A signal handler maps, unmaps or jumps away in the middle of a call that drops mappings: that call ends as if it had
# not been interrupted.
. "$TESTS/e2e/lib.sh"

# Sends a signal before each munmap and mremap, as slow ones would get one.
cat >slow.c <<'END'
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
int munmap(void *at, size_t n)
{
    raise(SIGUSR1);
    return (int)syscall(SYS_munmap, at, n);
}
void *mremap(void *old, size_t old_size, size_t size, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    void *to = va_arg(more, void *);
    va_end(more);
    raise(SIGUSR1);
    return (void *)syscall(SYS_mremap, old, old_size, size, flags, to);
}
END
cat >inside.c <<'END'
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#define PAGE 4096ul
#define MAP(pages, protection) mmap(NULL, (pages) * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
static char *other;
static int maps, jumps;
static sigjmp_buf out;
static void handler(int number)
{
    (void)number;
    char *p = other;
    other = NULL;
    if (p)
        syscall(SYS_munmap, p, 3 * PAGE);
    if (maps && maps--)
        MAP(4, 3);
    if (jumps && jumps--)
        siglongjmp(out, 1);
}
int main(void)
{
    signal(SIGUSR1, handler);
    char *reserved = MAP(20, 0), *p = MAP(20, 3);
    maps = 1;
    if (mremap(reserved, 20 * PAGE, 40 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED) /* 40 reserved, memory 24 */
        return 2;
    other = MAP(3, 3);
    if (munmap(p, 20 * PAGE)) /* memory 4 */
        return 3;
    other = MAP(3, 3);
    p = MAP(7, 3);
    if (munmap(p + 1, 7 * PAGE) == 0) /* fails: memory 11 */
        return 4;
    for (volatile int i = 0; i < 30; i++) { /* never happens */
        jumps = 1;
        if (!sigsetjmp(out, 1))
            munmap(p, 7 * PAGE);
    }
    p = MAP(9, 3); /* memory 20 */
    maps = 1;
    if (munmap(p, 5 * PAGE)) /* memory 19 */
        return 5;
    return 0;
}
END
gcc -O1 -shared -fPIC -o libslow.so slow.c && gcc -O1 -g -o inside inside.c || fail "gcc"
MPROF_OUTPUT=inside.mprof LD_PRELOAD="$LIB $PWD/libslow.so" ./inside || fail "status $?"
assert_clean inside.mprof
pages() { # key
    echo "$(($(json inside.mprof "totals.$1") / 4096))"
}
assert_eq "memory at the end" 19 "$(pages mapped_at_end_bytes)"
assert_eq "its peak" 27 "$(pages mapped_peak_bytes)"
assert_eq "reserved at the end" 40 "$(pages reserved_at_end_bytes)"
assert_eq "maps" 9 "$(json inside.mprof totals.maps)"
