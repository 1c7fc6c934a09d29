/*
 * seen_calls.h - comes in front of each source of the recorder when it is compiled for
 * ThreadSanitizer (tests/sanitized/sanitized.mk): memory that the recorder maps and unmaps with raw
 * system calls is not seen by the sanitizer, which would take the next owner of an address for
 * somebody who shares it with the last. So these calls go through the C library, whose the
 * sanitizer watches.
 */
#ifndef TESTS_SEEN_CALLS_H
#define TESTS_SEEN_CALLS_H

#include "arch_x86_64.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static inline long seen_result(void *p)
{
    return p == MAP_FAILED ? -(long)errno : (long)p;
}

static inline long seen_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    int saved = errno;
    long result;

    if (number == SYS_mmap) {
        result = seen_result(mmap((void *)a, (size_t)b, (int)c, (int)d, (int)e, f));
    } else if (number == SYS_munmap) {
        result = munmap((void *)a, (size_t)b) == 0 ? 0 : -(long)errno;
    } else if (number == SYS_mremap) {
        /* The new place is mapped by the C library first, then by the kernel over it. */
        int fixed = d & MREMAP_FIXED ? MAP_FIXED : 0;
        void *place = mmap(fixed ? (void *)e : NULL, (size_t)c, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
        result = seen_result(place);
        if (place != MAP_FAILED)
            result = (arch_syscall)(number, a, b, c, MREMAP_MAYMOVE | MREMAP_FIXED, (long)place, 0);
    } else {
        return (arch_syscall)(number, a, b, c, d, e, f);
    }
    errno = saved;
    return result;
}

#define arch_syscall(number, a, b, c, d, e, f) seen_syscall(number, a, b, c, d, e, f)

#endif
