/*
 * interpose_space.c - the hooks of address space that comes otherwise than by mmap: the break, and
 * shared segments. As interpose_map.c: whose a call is is asked first, then the real call is made
 * and recorded.
 */
#include "interpose_space.h"
#include "address_space.h"
#include "hook.h"
#include "init.h"
#include "interpose_whose.h"
#include "real.h"
#include "record.h"
#include "sys.h"

#include <errno.h>
#include <sys/shm.h>
#include <unistd.h>

#define LEFT_ALONE() whose_is_left_alone(ARCH_CALLER())

/* ---- the break ---- */

/* The kernel returns the break as it is then, whatever becomes of the wish. */
static uintptr_t kernel_break(uintptr_t to)
{
    return (uintptr_t)SYS_CALL(SYS_brk, to, 0, 0, 0, 0, 0);
}

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
    if (sys_failed((const void *)from)) /* a filter of the program's answers so */
        pages = (struct break_pages){0, 0};
    if (pages.to < pages.from)
        record_range_begin(caller, (const void *)pages.to, pages.from - pages.to);
    return pages;
}

static void after_break(const struct arch_frame *caller, struct break_pages pages, int is_done)
{
    uint64_t what = spool_range_of(SPOOL_RANGE_BREAK, PROT_READ | PROT_WRITE, 0);
    if (pages.to < pages.from)
        record_range_end(caller, !is_done);
    else if (pages.to > pages.from && is_done)
        record_range_map(caller, (const void *)pages.from, pages.to - pages.from, what);
}

/* The kernel refuses a break below its first one, and hardly any other lower one. */
static int would_be_refused(uintptr_t to)
{
    uintptr_t first = address_space_first_break();
    if (!first)
        spool_lost(SPOOL_NOTHING, 0);
    return !first || to < first;
}

/* libc takes a wish for fulfilled that the kernel has not heard, where it is for a lower break. A
 * malloc in another thread may have moved the break since. */
static int has_moved(struct break_pages pages, int has_failed)
{
    if (pages.to >= pages.from)
        return !has_failed;
    uintptr_t now = page_above(kernel_break(0));
    return now == pages.to || (now != pages.from && !would_be_refused(pages.to));
}

static int next_brk(void *to)
{
    if (real_found() && real.brk)
        return real.brk(to);
    if (kernel_break((uintptr_t)to) >= (uintptr_t)to)
        return 0;
    errno = ENOMEM;
    return -1;
}

static void *kernel_sbrk(intptr_t increment)
{
    uintptr_t before = kernel_break(0), to = before + (uintptr_t)increment;
    if (increment == 0 || kernel_break(to) == to)
        return (void *)before;
    errno = ENOMEM;
    return (void *)-1;
}

/* brk(0) moves nothing: it has libc look where the break is. */
HOOK int brk(void *to)
{
    if (!to || LEFT_ALONE())
        return next_brk(to);
    struct break_pages pages = before_break(ARCH_CALLER(), kernel_break(0), (uintptr_t)to);
    int result = next_brk(to);
    after_break(ARCH_CALLER(), pages, has_moved(pages, result));
    return result;
}

/* libc's variable; a call of sbrk would tell it, too, but may be seen by a library behind us. */
extern void *__curbrk __attribute__((weak));

static uintptr_t break_of_libc(uintptr_t kernels)
{
    void *known = &__curbrk ? __atomic_load_n(&__curbrk, __ATOMIC_RELAXED) : NULL;
    return known ? (uintptr_t)known : kernels;
}

/* libc reckons from the break as it knows it, which the kernel's need not be: the program may have
 * moved that by its number. Where they were the same, and libc has found another one, a malloc in
 * another thread has moved it since. */
HOOK_PART static __attribute__((noinline)) void *
move_break(const struct arch_frame *caller, intptr_t increment, void *(*next)(intptr_t))
{
    uintptr_t from = kernel_break(0), known = break_of_libc(from);
    struct break_pages pages = before_break(caller, from, known + (uintptr_t)increment);
    void *before = next(increment);
    if (increment > 0 && from == known && pages.to > pages.from && before != (void *)-1)
        pages = (struct break_pages){page_above((uintptr_t)before),
                                     page_above((uintptr_t)before + (uintptr_t)increment)};
    after_break(caller, pages, has_moved(pages, before == (void *)-1));
    return before;
}

/* glibc exports it under two names, and a library behind us may make the one of the other. */
#define SBRK_HOOK(name)                                                                            \
    HOOK void *name(intptr_t increment)                                                            \
    {                                                                                              \
        void *(*next)(intptr_t) = real_found() && real.name ? real.name : kernel_sbrk;             \
        if (increment == 0 || LEFT_ALONE())                                                        \
            return next(increment);                                                                \
        return move_break(ARCH_CALLER(), increment, next);                                         \
    }

void *__sbrk(intptr_t increment);
SBRK_HOOK(sbrk)
SBRK_HOOK(__sbrk)

HOOK_PART __attribute__((noinline)) long space_break_by_number(const struct arch_frame *caller,
                                                               long to)
{
    uintptr_t from = to ? kernel_break(0) : 0;
    struct break_pages pages = before_break(caller, from, (uintptr_t)to);
    long now = real.syscall(SYS_brk, to, 0, 0, 0, 0, 0);
    after_break(caller, pages, now == to);
    return now;
}

/* ---- shared segments ---- */

/* 0 where it is not known. */
static size_t segment_bytes(int id)
{
    struct shmid_ds segment;
    if (!recorder_ready() || !sys_may(SYS_KIND_SEGMENT) ||
        SYS_CALL(SYS_shmctl, id, IPC_STAT, &segment, 0, 0, 0) < 0)
        return 0;
    return segment.shm_segsz;
}

/* One of huge pages has whole ones, which its size does not tell. Where the mapping of one that may
 * be such cannot be asked for, it is counted that it is not known. */
static size_t bytes_attached(uintptr_t at, size_t bytes)
{
    if (at % ARCH_HUGE_PAGE)
        return bytes;
    struct bounds b = address_space_above(at);
    if (b.begin == at && b.end)
        return b.end - b.begin;
    spool_lost(SPOOL_NOTHING, 0);
    return bytes;
}

static void after_shmat(const struct arch_frame *caller, const void *p, size_t bytes, int id,
                        int flags)
{
    int protection = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
    if (p == (void *)-1)
        return;
    if (bytes)
        record_range_map(caller, p, bytes_attached((uintptr_t)p, bytes),
                         spool_range_of(SPOOL_RANGE_SEGMENT, protection, id));
    else
        spool_lost(SPOOL_RANGE_MAP, 0);
}

static void *next_shmat(int id, const void *at, int flags)
{
    if (real_found() && real.shmat)
        return real.shmat(id, at, flags);
    long result = SYS_CALL(SYS_shmat, id, at, flags, 0, 0, 0);
    if (!sys_failed((void *)result))
        return (void *)result;
    errno = (int)-result;
    return (void *)-1;
}

/* The size is asked for before: afterwards the segment may be gone, for all that we can ask. */
HOOK void *shmat(int id, const void *at, int flags)
{
    if (LEFT_ALONE())
        return next_shmat(id, at, flags);
    size_t bytes = segment_bytes(id);
    void *p = next_shmat(id, at, flags);
    after_shmat(ARCH_CALLER(), p, bytes, id, flags);
    return p;
}

static int next_shmdt(const void *at)
{
    if (real_found() && real.shmdt)
        return real.shmdt(at);
    long result = SYS_CALL(SYS_shmdt, at, 0, 0, 0, 0, 0);
    if (result == 0)
        return 0;
    errno = (int)-result;
    return -1;
}

/* Of no size: who reads the recording knows what lies there. */
HOOK int shmdt(const void *at)
{
    if (LEFT_ALONE())
        return next_shmdt(at);
    record_range_begin(ARCH_CALLER(), at, 0);
    int result = next_shmdt(at);
    record_range_end(ARCH_CALLER(), result);
    return result;
}

HOOK_PART __attribute__((noinline)) long space_attach_by_number(const struct arch_frame *caller,
                                                                long id, long at, long flags)
{
    size_t bytes = segment_bytes((int)id);
    long result = real.syscall(SYS_shmat, id, at, flags, 0, 0, 0);
    after_shmat(caller, (const void *)result, bytes, (int)id, (int)flags);
    return result;
}
