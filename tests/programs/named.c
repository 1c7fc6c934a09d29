/*
 * named.c - functions of the program's own with names that libc, the loader and the C++ runtime have.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * Each makes one block, all of other sizes. None is taken for what it is called like: neither a start
 * frame, which is left out of reports, nor an allocation function, which counts for its caller.
 *
 * EXPECT clone self allocated_bytes 1001
 * EXPECT start_thread self allocated_bytes 1002
 * EXPECT thread_start self allocated_bytes 1003
 * EXPECT clone3 self allocated_bytes 1004
 * EXPECT __clone self allocated_bytes 1005
 * EXPECT __libc_start_main_impl self allocated_bytes 1007
 * EXPECT malloc_hook self allocated_bytes 1008
 * EXPECT valloc self allocated_bytes 1009
 * EXPECT pvalloc self allocated_bytes 1010
 * EXPECT memalign self allocated_bytes 1011
 * EXPECT __posix_memalign self allocated_bytes 1012
 * EXPECT _dl_start_user self allocated_bytes 1013
 * EXPECT main self allocated_bytes 1014
 * EXPECT allocations 14
 * EXPECT allocated_bytes 14105
 * LEAK 1 1014 main
 * LEAK 1 1009 valloc main
 * LEAK 1 1001 clone main
 */
#include <stddef.h>

void *malloc(size_t bytes);

static void *volatile kept;

#define NAMED(name, bytes)                                                                         \
    static void name(void)                                                                         \
    {                                                                                              \
        kept = malloc(bytes);                                                                      \
    }

NAMED(clone, 1001)
NAMED(start_thread, 1002)
NAMED(thread_start, 1003)
NAMED(clone3, 1004)
NAMED(__clone, 1005)
NAMED(__libc_start_call_main, 1006)
NAMED(__libc_start_main_impl, 1007)
NAMED(malloc_hook, 1008)
NAMED(valloc, 1009)
NAMED(pvalloc, 1010)
NAMED(memalign, 1011)
NAMED(__posix_memalign, 1012)
NAMED(_dl_start_user, 1013)

int main(void)
{
    clone();
    start_thread();
    thread_start();
    clone3();
    __clone();
    __libc_start_call_main();
    __libc_start_main_impl();
    malloc_hook();
    valloc();
    pvalloc();
    memalign();
    __posix_memalign();
    _dl_start_user();
    kept = malloc(1014);
    return 0;
}
