/*
 * interpose_map.c - the hooks of mappings: the real call and a record, a few lines each.
 *
 * What comes by its number (map_number.h) is the same with another real call between. Whose it is,
 * and whether it may be recorded, is asked first (interpose_whose.h).
 */
#include "hook.h"
#include "init.h"
#include "interpose_whose.h"
#include "map_number.h"
#include "real.h"
#include "record.h"
#include "sys.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/shm.h>
#include <unistd.h>

#define LEFT_ALONE() whose_is_left_alone(ARCH_CALLER())

/* Turns a raw call's result into what libc would return. */
static long raw_result(long result)
{
    if (!sys_failed((void *)result))
        return result;
    errno = (int)-result;
    return -1;
}

/* ---- mmap ---- */

/* A fixed mapping drops what was there: recorded before and after, like munmap. */
static int drops_old(int flags)
{
    return (flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE);
}

static void before_mmap(const struct arch_frame *caller, const void *at, size_t length, int flags)
{
    if (drops_old(flags))
        record_range_begin(caller, at, length);
}

static void after_mmap(const struct arch_frame *caller, const void *p, size_t length,
                       int protection, int flags)
{
    if (p != MAP_FAILED)
        record_range_map(caller, p, length, spool_range_of(SPOOL_RANGE_MMAP, protection, flags));
    else if (drops_old(flags))
        record_range_failed(caller);
}

#define MMAP_HOOK(name, offset_type)                                                               \
    static void *next_##name(void *at, size_t length, int protection, int flags, int fd,           \
                             offset_type offset)                                                   \
    {                                                                                              \
        if (real_found() && real.name)                                                             \
            return real.name(at, length, protection, flags, fd, offset);                           \
        return (void *)raw_result(SYS_CALL(SYS_mmap, at, length, protection, flags, fd, offset));  \
    }                                                                                              \
    HOOK void *name(void *at, size_t length, int protection, int flags, int fd,                    \
                    offset_type offset)                                                            \
    {                                                                                              \
        if (LEFT_ALONE())                                                                          \
            return next_##name(at, length, protection, flags, fd, offset);                         \
        before_mmap(ARCH_CALLER(), at, length, flags);                                             \
        void *p = next_##name(at, length, protection, flags, fd, offset);                          \
        after_mmap(ARCH_CALLER(), p, length, protection, flags);                                   \
        return p;                                                                                  \
    }

MMAP_HOOK(mmap, off_t)
MMAP_HOOK(mmap64, off64_t)

/* ---- munmap ---- */

static void after_drop(const struct arch_frame *caller, int has_failed)
{
    if (has_failed)
        record_range_failed(caller);
    else
        record_range_dropped(caller);
}

static int next_munmap(void *at, size_t length)
{
    if (real_found())
        return real.munmap(at, length);
    return (int)raw_result(SYS_CALL(SYS_munmap, at, length, 0, 0, 0, 0));
}

HOOK int munmap(void *at, size_t length)
{
    if (LEFT_ALONE())
        return next_munmap(at, length);
    record_range_begin(ARCH_CALLER(), at, length);
    int result = next_munmap(at, length);
    after_drop(ARCH_CALLER(), result);
    return result;
}

/* ---- mremap ---- */

/* Of a fixed place two ranges go, one after the other; the last is what is moved. */
static void before_mremap(const struct arch_frame *caller, const void *old, size_t old_length,
                          size_t length, int flags, const void *wanted)
{
    if (flags & MREMAP_FIXED)
        record_range_begin(caller, wanted, length);
    if (old_length)
        record_range_begin(caller, old, old_length);
}

static void after_mremap(const struct arch_frame *caller, const void *p, size_t old_length,
                         size_t length, int flags)
{
    enum spool_range call = old_length ? SPOOL_RANGE_MOVED : SPOOL_RANGE_VIEW;
    if (p != MAP_FAILED)
        record_range_map(caller, p, length, spool_range_of(call, 0, flags));
    else if (old_length || flags & MREMAP_FIXED)
        record_range_failed(caller);
}

static void *next_mremap(void *old, size_t old_length, size_t length, int flags, void *wanted)
{
    if (real_found())
        return real.mremap(old, old_length, length, flags, wanted);
    return (void *)raw_result(SYS_CALL(SYS_mremap, old, old_length, length, flags, wanted, 0));
}

HOOK void *mremap(void *old, size_t old_length, size_t length, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    void *wanted = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? va_arg(more, void *) : NULL;
    va_end(more);
    if (LEFT_ALONE())
        return next_mremap(old, old_length, length, flags, wanted);
    before_mremap(ARCH_CALLER(), old, old_length, length, flags, wanted);
    void *p = next_mremap(old, old_length, length, flags, wanted);
    after_mremap(ARCH_CALLER(), p, old_length, length, flags);
    return p;
}

/* ---- mprotect ---- */

static void after_mprotect(const struct arch_frame *caller, long result, const void *at,
                           size_t length, int protection)
{
    if (result == 0)
        record_range_map(caller, at, length, spool_range_of(SPOOL_RANGE_PROTECT, protection, 0));
}

static int next_mprotect(void *at, size_t length, int protection)
{
    if (real_found())
        return real.mprotect(at, length, protection);
    return (int)raw_result(SYS_CALL(SYS_mprotect, at, length, protection, 0, 0, 0));
}

HOOK int mprotect(void *at, size_t length, int protection)
{
    if (LEFT_ALONE())
        return next_mprotect(at, length, protection);
    int result = next_mprotect(at, length, protection);
    after_mprotect(ARCH_CALLER(), result, at, length, protection);
    return result;
}

static int next_pkey_mprotect(void *at, size_t length, int protection, int key)
{
    if (real_found() && real.pkey_mprotect)
        return real.pkey_mprotect(at, length, protection, key);
    return (int)raw_result(SYS_CALL(SYS_pkey_mprotect, at, length, protection, key, 0, 0));
}

HOOK int pkey_mprotect(void *at, size_t length, int protection, int key)
{
    if (LEFT_ALONE())
        return next_pkey_mprotect(at, length, protection, key);
    int result = next_pkey_mprotect(at, length, protection, key);
    after_mprotect(ARCH_CALLER(), result, at, length, protection);
    return result;
}

/* ---- the break ---- */

static uintptr_t page_above(uintptr_t address)
{
    return (address + SYS_PAGE - 1) & ~(uintptr_t)(SYS_PAGE - 1);
}

/* The pages between two breaks. Where `to` is the lower one, they are about to go. */
struct break_pages {
    uintptr_t from, to;
};

static struct break_pages before_break(const struct arch_frame *caller, uintptr_t from,
                                       uintptr_t to)
{
    struct break_pages pages = {page_above(from), page_above(to)};
    if (pages.to < pages.from)
        record_range_begin(caller, (const void *)pages.to, pages.from - pages.to);
    return pages;
}

static void after_break(const struct arch_frame *caller, struct break_pages pages, int has_failed)
{
    uint64_t what = spool_range_of(SPOOL_RANGE_BREAK, PROT_READ | PROT_WRITE, 0);
    if (pages.to < pages.from)
        after_drop(caller, has_failed);
    else if (pages.to > pages.from && !has_failed)
        record_range_map(caller, (const void *)pages.from, pages.to - pages.from, what);
}

static uintptr_t raw_break(uintptr_t to)
{
    return (uintptr_t)SYS_CALL(SYS_brk, to, 0, 0, 0, 0, 0);
}

static int next_brk(void *to)
{
    if (real_found() && real.brk)
        return real.brk(to);
    if (raw_break((uintptr_t)to) >= (uintptr_t)to)
        return 0;
    errno = ENOMEM;
    return -1;
}

static void *next_sbrk(intptr_t increment)
{
    if (real_found() && real.sbrk)
        return real.sbrk(increment);
    uintptr_t before = raw_break(0), to = before + (uintptr_t)increment;
    if (increment == 0 || raw_break(to) == to)
        return (void *)before;
    errno = ENOMEM;
    return (void *)-1;
}

HOOK int brk(void *to)
{
    if (LEFT_ALONE())
        return next_brk(to);
    struct break_pages pages = before_break(ARCH_CALLER(), (uintptr_t)next_sbrk(0), (uintptr_t)to);
    int result = next_brk(to);
    after_break(ARCH_CALLER(), pages, result);
    return result;
}

HOOK void *sbrk(intptr_t increment)
{
    if (LEFT_ALONE() || increment == 0)
        return next_sbrk(increment);
    uintptr_t from = (uintptr_t)next_sbrk(0);
    struct break_pages pages = before_break(ARCH_CALLER(), from, from + (uintptr_t)increment);
    void *before = next_sbrk(increment);
    after_break(ARCH_CALLER(), pages, before == (void *)-1);
    return before;
}

/* The kernel returns the break as it is now. */
HOOK_PART static __attribute__((noinline)) long break_by_number(const struct arch_frame *caller,
                                                                long to)
{
    uintptr_t from = raw_break(0);
    struct break_pages pages = {0, 0};
    if (to)
        pages = before_break(caller, from, (uintptr_t)to);
    long now = real.syscall(SYS_brk, to, 0, 0, 0, 0, 0);
    after_break(caller, pages, now != to);
    return now;
}

/* ---- shared segments ---- */

/* 0 where it is not known; then the segment is in no figure. */
static size_t segment_bytes(int id)
{
    struct shmid_ds segment;
    if (!recorder_ready() || !sys_may(SYS_KIND_SEGMENT) ||
        SYS_CALL(SYS_shmctl, id, IPC_STAT, &segment, 0, 0, 0) < 0)
        return 0;
    return segment.shm_segsz;
}

static void before_shmat(const struct arch_frame *caller, const void *at, size_t bytes, int flags)
{
    if (at && flags & SHM_REMAP)
        record_range_begin(caller, at, bytes);
}

static void after_shmat(const struct arch_frame *caller, const void *p, const void *at,
                        size_t bytes, int flags)
{
    int protection = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
    if (p != (void *)-1 && bytes)
        record_range_map(caller, p, bytes, spool_range_of(SPOOL_RANGE_SEGMENT, protection, flags));
    else if (at && flags & SHM_REMAP)
        record_range_failed(caller);
}

static void *next_shmat(int id, const void *at, int flags)
{
    if (real_found() && real.shmat)
        return real.shmat(id, at, flags);
    return (void *)raw_result(SYS_CALL(SYS_shmat, id, at, flags, 0, 0, 0));
}

HOOK void *shmat(int id, const void *at, int flags)
{
    if (LEFT_ALONE())
        return next_shmat(id, at, flags);
    size_t bytes = segment_bytes(id);
    before_shmat(ARCH_CALLER(), at, bytes, flags);
    void *p = next_shmat(id, at, flags);
    after_shmat(ARCH_CALLER(), p, at, bytes, flags);
    return p;
}

static int next_shmdt(const void *at)
{
    if (real_found() && real.shmdt)
        return real.shmdt(at);
    return (int)raw_result(SYS_CALL(SYS_shmdt, at, 0, 0, 0, 0, 0));
}

/* Of no size: who reads the recording knows how large the segment is. */
HOOK int shmdt(const void *at)
{
    if (LEFT_ALONE())
        return next_shmdt(at);
    record_range_begin(ARCH_CALLER(), at, 0);
    int result = next_shmdt(at);
    after_drop(ARCH_CALLER(), result);
    return result;
}

/* ---- by number ---- */

static void before_number(const struct arch_frame *caller, long number, long a, long b, long c,
                          long d, long e)
{
    switch (number) {
    case SYS_mmap:
        before_mmap(caller, (const void *)a, (size_t)b, (int)d);
        break;
    case SYS_munmap:
        record_range_begin(caller, (const void *)a, (size_t)b);
        break;
    case SYS_mremap:
        before_mremap(caller, (const void *)a, (size_t)b, (size_t)c, (int)d, (const void *)e);
        break;
    case SYS_shmdt:
        record_range_begin(caller, (const void *)a, 0);
        break;
    default: /* a change of protection is recorded afterwards */
        break;
    }
}

static void after_number(const struct arch_frame *caller, long result, long number, long a, long b,
                         long c, long d)
{
    switch (number) {
    case SYS_mmap:
        after_mmap(caller, (const void *)result, (size_t)b, (int)c, (int)d);
        break;
    case SYS_mremap:
        after_mremap(caller, (const void *)result, (size_t)b, (size_t)c, (int)d);
        break;
    case SYS_mprotect:
    case SYS_pkey_mprotect:
        after_mprotect(caller, result, (const void *)a, (size_t)b, (int)c);
        break;
    default: /* SYS_munmap, SYS_shmdt */
        after_drop(caller, result != 0);
        break;
    }
}

HOOK_PART static __attribute__((noinline)) long segment_by_number(const struct arch_frame *caller,
                                                                  long id, long at, long flags)
{
    size_t bytes = segment_bytes((int)id);
    before_shmat(caller, (const void *)at, bytes, (int)flags);
    long result = real.syscall(SYS_shmat, id, at, flags, 0, 0, 0);
    after_shmat(caller, (const void *)result, (const void *)at, bytes, (int)flags);
    return result;
}

HOOK_PART __attribute__((noinline)) long map_by_number(long number, long a, long b, long c, long d,
                                                       long e, long f)
{
    if (LEFT_ALONE())
        return real.syscall(number, a, b, c, d, e, f);
    if (number == SYS_brk)
        return break_by_number(ARCH_CALLER(), a);
    if (number == SYS_shmat)
        return segment_by_number(ARCH_CALLER(), a, b, c);
    before_number(ARCH_CALLER(), number, a, b, c, d, e);
    long result = real.syscall(number, a, b, c, d, e, f);
    after_number(ARCH_CALLER(), result, number, a, b, c, d);
    return result;
}
