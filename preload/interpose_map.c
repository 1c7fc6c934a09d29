/*
 * interpose_map.c - the hooks of mappings: the real call and a record, a few lines each.
 */
#include "init.h"
#include "real.h"
#include "record.h"
#include "sys.h"

#include <errno.h>
#include <stdarg.h>

#define HOOK __attribute__((visibility("default")))

/* A fixed mapping drops what was there: recorded before and after, like munmap. */
static int drops_old(int flags)
{
    return (flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE);
}

/* Turns a raw call's result into what libc would return. */
static void *raw_pointer(long result)
{
    if (!sys_failed((void *)result))
        return (void *)result;
    errno = (int)-result;
    return MAP_FAILED;
}

#define MMAP_HOOK(name, offset_type)                                                               \
    static void *next_##name(void *at, size_t length, int protection, int flags, int fd,           \
                             offset_type offset)                                                   \
    {                                                                                              \
        if (real_found() && real.name)                                                             \
            return real.name(at, length, protection, flags, fd, offset);                           \
        return raw_pointer(SYS_CALL(SYS_mmap, at, length, protection, flags, fd, offset));         \
    }                                                                                              \
    HOOK void *name(void *at, size_t length, int protection, int flags, int fd,                    \
                    offset_type offset)                                                            \
    {                                                                                              \
        if (__builtin_expect(!real_works() || real_passive(), 0) || own_work())                    \
            return next_##name(at, length, protection, flags, fd, offset);                         \
        const struct arch_frame *caller = ARCH_CALLER();                                           \
        if (drops_old(flags))                                                                      \
            record_range_begin(caller, at, length);                                                \
        void *p = next_##name(at, length, protection, flags, fd, offset);                          \
        if (p != MAP_FAILED)                                                                       \
            record_range_map(caller, p, length);                                                   \
        else if (drops_old(flags))                                                                 \
            record_range_failed(caller);                                                           \
        return p;                                                                                  \
    }

MMAP_HOOK(mmap, off_t)
MMAP_HOOK(mmap64, off64_t)

static int next_munmap(void *at, size_t length)
{
    if (real_found())
        return real.munmap(at, length);
    return raw_pointer(SYS_CALL(SYS_munmap, at, length, 0, 0, 0, 0)) == MAP_FAILED ? -1 : 0;
}

HOOK int munmap(void *at, size_t length)
{
    if (__builtin_expect(!real_works() || real_passive(), 0) || own_work())
        return next_munmap(at, length);
    const struct arch_frame *caller = ARCH_CALLER();
    record_range_begin(caller, at, length);
    int result = next_munmap(at, length);
    if (result == 0)
        record_range_dropped(caller);
    else
        record_range_failed(caller);
    return result;
}

static void *next_mremap(void *old, size_t old_length, size_t length, int flags, void *wanted)
{
    if (real_found())
        return real.mremap(old, old_length, length, flags, wanted);
    return raw_pointer(SYS_CALL(SYS_mremap, old, old_length, length, flags, wanted, 0));
}

HOOK void *mremap(void *old, size_t old_length, size_t length, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    void *wanted = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? va_arg(more, void *) : NULL;
    va_end(more);
    if (__builtin_expect(!real_works() || real_passive(), 0) || own_work())
        return next_mremap(old, old_length, length, flags, wanted);
    const struct arch_frame *caller = ARCH_CALLER();
    /* What stays where it is (a second view of shared pages, DONTUNMAP) is not dropped. */
    int drops = old_length != 0 && !(flags & MREMAP_DONTUNMAP);
    if (flags & MREMAP_FIXED) /* then two ranges go, recorded one after the other */
        record_range_begin(caller, wanted, length);
    if (drops)
        record_range_begin(caller, old, old_length);
    void *p = next_mremap(old, old_length, length, flags, wanted);
    if (p != MAP_FAILED)
        record_range_map(caller, p, length);
    else if (drops || flags & MREMAP_FIXED)
        record_range_failed(caller);
    return p;
}
