/*
 * sys.h - raw system calls: no errno, no locks, no cancellation points, nothing that a host could
 * have interposed. Each returns what the kernel returned: -errno on failure. A kind of call that
 * the host has forbidden itself (sandbox.h) fails without being made.
 */
#ifndef MPROF_SYS_H
#define MPROF_SYS_H

#include "arch_x86_64.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define SYS_PAGE 4096

#define SYS_CALL(number, a, b, c, d, e, f)                                                         \
    arch_syscall((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

/* The kinds of what we do; a kind's bit in sys_forbidden: the host must not be caught at it. */
enum sys_kind {
    SYS_KIND_MEMORY = 1,      /* mmap, munmap, mremap */
    SYS_KIND_FILES = 2,       /* openat, read, close */
    SYS_KIND_SELF = 4,        /* gettid, getpid, getppid, prctl, sigaltstack */
    SYS_KIND_GROW = 8,        /* fstat, fallocate: kernels before 5.14 */
    SYS_KIND_UNWIND = 16,     /* libunwind */
    SYS_KIND_TIME = 32,       /* no call: the processor's counter, which clock_gettime reads, too */
    SYS_KIND_WINDOW = 64,     /* what windows need besides SYS_KIND_MEMORY */
    SYS_KIND_PROBE = 128,     /* rt_sigprocmask, to ask whether memory can be read */
    SYS_KIND_START = 256,     /* what else the start does, in a program that is exec'd */
    SYS_KIND_POPULATE = 512,  /* madvise(MADV_POPULATE_WRITE) .. */
    SYS_KIND_TOUCH = 1024,    /* .. or else a futex for each page */
    SYS_KIND_UNLOCK = 2048,   /* munlock */
    SYS_KIND_ACCESS = 4096,   /* faccessat2 */
    SYS_KIND_SIGNALS = 8192,  /* rt_sigprocmask, to hold signals back */
    SYS_KIND_GLANCE = 16384,  /* a futex wait of no time, to ask whether memory can be read */
    SYS_KIND_LIFE = 32768,    /* tgkill without a signal, to ask whether a thread lives */
    SYS_KIND_SEGMENT = 65536, /* shmctl, to ask for the size of a shared segment */
    SYS_KIND_DEVICE = 131072, /* statx, to ask whether what is mapped is /dev/zero */
    SYS_KIND_MAPPED = 262144, /* mincore, to ask whether there is anything to be moved */
    SYS_KIND_ALL = 0xffffff
};

/* Its high half numbers the attempts to forbid something (sandbox.c). */
extern uint64_t sys_forbidden;

static inline int sys_may(enum sys_kind kind)
{
    return __builtin_expect(!(__atomic_load_n(&sys_forbidden, __ATOMIC_RELAXED) & kind), 1);
}

static inline int sys_failed(const void *address)
{
    return (uintptr_t)address > (uintptr_t)-4096;
}

/* Zeroed private memory, or NULL. */
static inline void *sys_pages(size_t bytes)
{
    if (!sys_may(SYS_KIND_MEMORY))
        return NULL;
    void *p = (void *)SYS_CALL(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return sys_failed(p) ? NULL : p;
}

/* The same, in place of what is mapped there. */
static inline void sys_pages_at(void *place, size_t bytes)
{
    if (sys_may(SYS_KIND_MEMORY))
        SYS_CALL(SYS_mmap, place, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

static inline void *sys_map_shared(int fd, uint64_t offset, size_t bytes)
{
    void *p = (void *)SYS_CALL(SYS_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
    return sys_failed(p) ? NULL : p;
}

/* A second mapping of the file behind a shared mapping, from the same place in the file on. */
static inline void *sys_map_again(void *shared, size_t bytes)
{
    if (!sys_may(SYS_KIND_MEMORY))
        return NULL;
    void *p = (void *)SYS_CALL(SYS_mremap, shared, 0, bytes, MREMAP_MAYMOVE, 0, 0);
    return sys_failed(p) ? NULL : p;
}

/* The same at an address of ours, in place of what is mapped there. */
static inline int sys_map_again_at(void *shared, size_t bytes, void *place)
{
    return sys_may(SYS_KIND_WINDOW) &&
           SYS_CALL(SYS_mremap, shared, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place, 0) ==
               (long)place;
}

/* A program that has locked its memory (mlockall) has locked ours, too, and what is mapped from a
 * locked mapping counts against its limit. Returns whether these pages are unlocked now. */
static inline int sys_unlock(void *p, size_t bytes)
{
    return sys_may(SYS_KIND_UNLOCK) && SYS_CALL(SYS_munlock, p, bytes, 0, 0, 0, 0) == 0;
}

/* Address space without memory. */
static inline void *sys_reserve(size_t bytes)
{
    if (!sys_may(SYS_KIND_WINDOW))
        return NULL;
    void *p = (void *)SYS_CALL(SYS_mmap, 0, bytes, PROT_NONE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return sys_failed(p) ? NULL : p;
}

static inline long sys_unmap(void *p, size_t bytes)
{
    if (!sys_may(SYS_KIND_MEMORY))
        return -EPERM;
    return SYS_CALL(SYS_munmap, p, bytes, 0, 0, 0, 0);
}

static inline long sys_advise(void *p, size_t bytes, int advice)
{
    if (!sys_may(SYS_KIND_MEMORY))
        return -EPERM;
    return SYS_CALL(SYS_madvise, p, bytes, advice, 0, 0, 0);
}

/* The kernel writes to each page without changing it: it adds 0 to a word, atomically. So others
 * may be writing there, and a page that finds no disk space is an error, not a signal. */
#define SYS_TOUCH_FUTEX     (FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG)
#define SYS_TOUCH_OPERATION FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_LT, 0)

static inline long sys_touch(uint8_t *p, size_t bytes)
{
    static uint32_t nobody_waits;
    long result = sys_may(SYS_KIND_TOUCH) ? 0 : -EPERM;
    for (size_t at = 0; result >= 0 && at < bytes; at += SYS_PAGE)
        result =
            SYS_CALL(SYS_futex, &nobody_waits, SYS_TOUCH_FUTEX, 0, 0, p + at, SYS_TOUCH_OPERATION);
    return result < 0 ? result : 0;
}

/* Gives the pages of a shared mapping their disk space. */
static inline long sys_populate(uint8_t *p, size_t bytes)
{
    if (!sys_may(SYS_KIND_MEMORY))
        return -EPERM;
    if (!sys_may(SYS_KIND_POPULATE))
        return sys_touch(p, bytes);
    return SYS_CALL(SYS_madvise, p, bytes, MADV_POPULATE_WRITE, 0, 0, 0);
}

static inline long sys_open(const char *path, int flags, int mode)
{
    if (!sys_may(SYS_KIND_FILES))
        return -EPERM;
    return SYS_CALL(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode, 0, 0);
}

static inline long sys_close(long fd)
{
    return SYS_CALL(SYS_close, fd, 0, 0, 0, 0, 0);
}

static inline long sys_read(long fd, void *to, size_t bytes)
{
    return SYS_CALL(SYS_read, fd, to, bytes, 0, 0, 0);
}

/* Reads the start of a small file and ends it with a NUL; returns its bytes, 0 if unreadable. */
static inline size_t sys_read_file(const char *path, char *to, size_t capacity)
{
    size_t have = 0;
    long fd = sys_open(path, O_RDONLY, 0);
    if (fd >= 0) {
        long got;
        while (have < capacity - 1 && (got = sys_read(fd, to + have, capacity - 1 - have)) > 0)
            have += (size_t)got;
        sys_close(fd);
    }
    to[have] = 0;
    return have;
}

/* These three return 0 where we may not ask. */
static inline int32_t sys_pid(void)
{
    if (!sys_may(SYS_KIND_SELF))
        return 0;
    return (int32_t)SYS_CALL(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int32_t sys_parent_pid(void)
{
    if (!sys_may(SYS_KIND_SELF))
        return 0;
    return (int32_t)SYS_CALL(SYS_getppid, 0, 0, 0, 0, 0, 0);
}

static inline int32_t sys_tid(void)
{
    if (!sys_may(SYS_KIND_SELF))
        return 0;
    return (int32_t)SYS_CALL(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* Can the 8 bytes at address (a multiple of 8) be read? The kernel reads the mask before it refuses
 * the operation. It ignores a mask at 0, so a neighbour in the same page is asked for. The caller
 * checks that it may ask (SYS_KIND_PROBE). */
static inline int sys_readable(uintptr_t address)
{
    return SYS_CALL(SYS_rt_sigprocmask, -1, address | 8, 0, 8, 0, 0) != -EFAULT;
}

/* The same where that may be forbidden: a futex reads the word before it waits, for no time. 1
 * where we may not ask at all. */
static inline int sys_readable_by_any(uintptr_t address)
{
    static const struct timespec no_time;
    if (sys_may(SYS_KIND_PROBE))
        return sys_readable(address);
    return !sys_may(SYS_KIND_GLANCE) ||
           SYS_CALL(SYS_futex, address, FUTEX_WAIT_PRIVATE, 0, &no_time, 0, 0) != -EFAULT;
}

/* Can all of it be read, as far as we may ask? */
static inline int sys_all_readable(const void *p, size_t bytes)
{
    uintptr_t at = (uintptr_t)p & ~7ul, end = (uintptr_t)p + bytes;
    if (end < at)
        return 0;
    for (; at < end; at = (at | (SYS_PAGE - 1)) + 1)
        if (!sys_readable_by_any(at))
            return 0;
    return 1;
}

/* Is a page mapped there, as far as we may ask? */
static inline int sys_is_mapped(uintptr_t page)
{
    unsigned char is_resident;
    return !sys_may(SYS_KIND_MAPPED) ||
           SYS_CALL(SYS_mincore, page, SYS_PAGE, &is_resident, 0, 0, 0) == 0;
}

/* The signals that the thread had blocked before sys_hold_signals. */
struct sys_held {
    uint64_t mask;
    int is_held; /* 0: we may not, and signals still come */
};

/* Blocks all signals of this thread, so that no handler runs, forks or jumps away meanwhile. */
static inline struct sys_held sys_hold_signals(void)
{
    uint64_t all = ~(uint64_t)0;
    struct sys_held held = {0, sys_may(SYS_KIND_SIGNALS)};
    if (held.is_held)
        SYS_CALL(SYS_rt_sigprocmask, SIG_SETMASK, &all, &held.mask, sizeof held.mask, 0, 0);
    return held;
}

static inline void sys_release_signals(struct sys_held held)
{
    if (held.is_held)
        SYS_CALL(SYS_rt_sigprocmask, SIG_SETMASK, &held.mask, 0, sizeof held.mask, 0, 0);
}

static inline uint64_t sys_clock_ns(int clock)
{
    struct timespec t = {0, 0};
    SYS_CALL(SYS_clock_gettime, clock, &t, 0, 0, 0, 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#endif
