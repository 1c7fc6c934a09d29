/*
 * interpose_map.c - the hooks of mappings: the real call and a record, a few lines each.
 *
 * What comes by its number (map_number.h) is the same with another real call between. Whose it is,
 * and whether it may be recorded, is asked first (interpose_whose.h).
 */
#include "address_space.h"
#include "hook.h"
#include "init.h"
#include "interpose_space.h"
#include "interpose_whose.h"
#include "map_number.h"
#include "real.h"
#include "record.h"
#include "sys.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
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

#define ZERO_MAJOR 1
#define ZERO_MINOR 5

/* /dev/zero has no pages of its own: it maps memory. The file's server is not asked, which may be
 * gone, or be this thread. Not inline, as a handler's stack may be small. */
static __attribute__((noinline)) int is_zero_device(int fd)
{
    struct statx file;
    return sys_may(SYS_KIND_DEVICE) &&
           SYS_CALL(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &file, 0) ==
               0 &&
           S_ISCHR(file.stx_mode) && file.stx_rdev_major == ZERO_MAJOR &&
           file.stx_rdev_minor == ZERO_MINOR;
}

/* Huge pages come whole. What their size is where the flags do not tell, only files do: the usual
 * one is taken for it. */
static size_t whole_pages(size_t length, int flags)
{
    unsigned bits = (unsigned)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    size_t page = bits ? (size_t)1 << bits : ARCH_HUGE_PAGE, rounded;
    if (!(flags & MAP_HUGETLB) || __builtin_add_overflow(length, page - 1, &rounded))
        return length;
    return rounded & ~(page - 1);
}

/* A fixed mapping drops what was there at the same moment: that need not be told before. */
static void after_mmap(const struct arch_frame *caller, const void *p, size_t length,
                       int protection, int flags, int fd)
{
    if (p == MAP_FAILED)
        return;
    if (!(flags & MAP_ANONYMOUS) && is_zero_device(fd))
        flags |= MAP_ANONYMOUS;
    record_range_map(caller, p, whole_pages(length, flags),
                     spool_range_of(SPOOL_RANGE_MMAP, protection, flags));
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
        void *p = next_##name(at, length, protection, flags, fd, offset);                          \
        after_mmap(ARCH_CALLER(), p, length, protection, flags, fd);                               \
        return p;                                                                                  \
    }

MMAP_HOOK(mmap, off_t)
MMAP_HOOK(mmap64, off64_t)

/* ---- munmap ---- */

static int next_munmap(void *at, size_t length)
{
    if (real_found())
        return real.munmap(at, length);
    return (int)raw_result(SYS_CALL(SYS_munmap, at, length, 0, 0, 0, 0));
}

HOOK int munmap(void *at, size_t length)
{
    if (LEFT_ALONE() || length == 0) /* which the kernel refuses */
        return next_munmap(at, length);
    record_range_begin(ARCH_CALLER(), at, length);
    int result = next_munmap(at, length);
    record_range_end(ARCH_CALLER(), result);
    return result;
}

/* ---- mremap ---- */

/* A call, as the program makes it. */
struct move {
    const void *old;
    size_t old_length, length;
    int flags;
    const void *wanted;
    int may_be_half_done; /* if it fails */
};

/* From Linux 6.17 on a call moves several mappings to a fixed place, one after the other. One that
 * fails has not taken back what it had moved. Nothing of it where there is nothing to move. */
static int is_of_several(const struct move *move)
{
    return move->flags & MREMAP_FIXED && move->length == move->old_length &&
           move->length > SYS_PAGE && sys_is_mapped((uintptr_t)move->old);
}

/* What a fixed place holds goes at the same moment, as with mmap. */
static void before_mremap(const struct arch_frame *caller, struct move *move)
{
    move->may_be_half_done = is_of_several(move);
    record_range_begin(caller, move->old, move->old_length);
}

/* How much of it lies in its old place no more. With MREMAP_DONTUNMAP it does all the same: then
 * that is not known, if there are several. A program at one of the kernel's limits may fail often:
 * first comes a question that costs little. */
static size_t bytes_gone(const struct move *move)
{
    uintptr_t old = (uintptr_t)move->old;
    int stays = (move->flags & MREMAP_DONTUNMAP) != 0;
    if (!stays && sys_may(SYS_KIND_MAPPED) && sys_is_mapped(old))
        return 0;
    struct bounds left = address_space_above(old);
    if (!left.end || (stays && left.end - old < move->old_length))
        spool_lost(SPOOL_NOTHING, 0);
    if (left.begin <= old)
        return 0;
    return left.begin - old < move->old_length ? left.begin - old : move->old_length;
}

/* What was moved is told of as a call of its own. */
static void after_failed_mremap(const struct arch_frame *caller, const struct move *move)
{
    size_t gone = move->may_be_half_done ? bytes_gone(move) : 0;
    record_range_failed(caller);
    if (gone == 0)
        return;
    record_range_begin(caller, move->old, gone);
    record_range_map(caller, move->wanted, gone, spool_range_of(SPOOL_RANGE_MOVED, 0, move->flags));
}

static void after_mremap(const struct arch_frame *caller, const void *p, const struct move *move)
{
    enum spool_range call = move->old_length ? SPOOL_RANGE_MOVED : SPOOL_RANGE_VIEW;
    if (p != MAP_FAILED)
        record_range_map(caller, p, move->length, spool_range_of(call, 0, move->flags));
    else
        after_failed_mremap(caller, move);
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
    struct move move = {old, old_length, length, flags, wanted, 0};
    before_mremap(ARCH_CALLER(), &move);
    void *p = next_mremap(old, old_length, length, flags, wanted);
    after_mremap(ARCH_CALLER(), p, &move);
    return p;
}

/* ---- mprotect ---- */

/* One that fails at a page, for want of it or of the right to it, has changed those before it. */
static int is_half_done(long result)
{
    return result != 0 && (errno == ENOMEM || errno == EACCES);
}

/* With PROT_GROWSDOWN the change begins where the mapping does. That has the new protection as a
 * whole now, so that what lies further down and has become one with it has had it before. */
static uintptr_t begin_of_change(uintptr_t at, size_t length, int protection)
{
    if (!(protection & PROT_GROWSDOWN) || length == 0)
        return at;
    struct bounds b = address_space_above(at);
    if (!b.end)
        spool_lost(SPOOL_NOTHING, 0);
    return b.end && b.begin < at + length ? b.begin : at;
}

static void after_mprotect(const struct arch_frame *caller, long result, const void *at,
                           size_t length, int protection)
{
    int error = is_half_done(result) ? errno : 0;
    if (result != 0 && !error)
        return;
    uintptr_t begin = begin_of_change((uintptr_t)at, length, protection);
    record_range_map(caller, (const void *)begin, (uintptr_t)at + length - begin,
                     spool_range_of(SPOOL_RANGE_PROTECT, protection, error));
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

/* ---- by number ---- */

static void before_number(const struct arch_frame *caller, long number, long a, long b)
{
    switch (number) {
    case SYS_munmap:
        record_range_begin(caller, (const void *)a, (size_t)b);
        break;
    case SYS_shmdt:
        record_range_begin(caller, (const void *)a, 0);
        break;
    default: /* a mapping, or a change of protection, is recorded afterwards */
        break;
    }
}

static void after_number(const struct arch_frame *caller, long result, long number, long a, long b,
                         long c, long d, long e)
{
    switch (number) {
    case SYS_mmap:
        after_mmap(caller, (const void *)result, (size_t)b, (int)c, (int)d, (int)e);
        break;
    case SYS_mprotect:
    case SYS_pkey_mprotect:
        after_mprotect(caller, result, (const void *)a, (size_t)b, (int)c);
        break;
    default: /* SYS_munmap, SYS_shmdt */
        record_range_end(caller, result != 0);
        break;
    }
}

/* Reached by a jump, too. */
HOOK_PART static __attribute__((noinline)) long move_by_number(const struct arch_frame *caller,
                                                               long old, long old_length,
                                                               long length, long flags, long wanted)
{
    struct move move = {(const void *)old, (size_t)old_length,   (size_t)length,
                        (int)flags,        (const void *)wanted, 0};
    before_mremap(caller, &move);
    long result = real.syscall(SYS_mremap, old, old_length, length, flags, wanted, 0);
    after_mremap(caller, (const void *)result, &move);
    return result;
}

HOOK_PART __attribute__((noinline)) long map_by_number(long number, long a, long b, long c, long d,
                                                       long e, long f)
{
    if (LEFT_ALONE() || (number == SYS_munmap && b == 0))
        return real.syscall(number, a, b, c, d, e, f);
    if (number == SYS_brk)
        return space_break_by_number(ARCH_CALLER(), a);
    if (number == SYS_shmat)
        return space_attach_by_number(ARCH_CALLER(), a, b, c);
    if (number == SYS_mremap)
        return move_by_number(ARCH_CALLER(), a, b, c, d, e);
    before_number(ARCH_CALLER(), number, a, b);
    long result = real.syscall(number, a, b, c, d, e, f);
    after_number(ARCH_CALLER(), result, number, a, b, c, d, e);
    return result;
}
