/*
 * interpose.c - the hooks: the real call and a record, a few lines each.
 *
 * What the recorder itself allocates (own_work()), and what is wanted before there is a malloc,
 * comes from the arena; frees of arena blocks concern nobody else.
 */
#include "arena.h"
#include "hook.h"
#include "init.h"
#include "real.h"
#include "record.h"
#include "sys.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

/* This call is not the program's, or there is no malloc yet. */
#define OURS() __builtin_expect(!real_ready() || own_work(), 0)

/* Then returns `otherwise`, unless the program is to be left alone: there every hook is a jump (the
 * Makefile has this file compiled with sibling calls). Asked here, to spare recorded programs. */
#define PASSIVE_OR(jump, otherwise) return __builtin_expect(real_passive(), 0) ? jump : otherwise

/* ---- blocks ---- */

HOOK void *malloc(size_t size)
{
    if (OURS())
        PASSIVE_OR(real.malloc(size), arena_alloc(16, size));
    void *p = real.malloc(size);
    if (__builtin_expect(p != NULL, 1))
        record_alloc(ARCH_CALLER(), p, size);
    else if (size)
        record_failed(ARCH_CALLER(), size);
    return p;
}

static void *calloc_from_arena(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? NULL : arena_alloc(16, bytes);
}

/* What a product of two sizes asks for, or as much as can be said. */
static size_t product(size_t count, size_t size)
{
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? SIZE_MAX : bytes;
}

HOOK void *calloc(size_t count, size_t size)
{
    if (OURS())
        PASSIVE_OR(real.calloc(count, size), calloc_from_arena(count, size));
    tls.newest = 0;
    void *p = real.calloc(count, size);
    record_result(ARCH_CALLER(), p, product(count, size));
    return p;
}

HOOK void free(void *p)
{
    if (!p || arena_owns(p))
        return;
    if (__builtin_expect(!real_ready(), 0)) {
        if (real_passive())
            real.free(p);
        return;
    }
    if (__builtin_expect(tls.deleting != (uintptr_t)p, 1)) {
        record_free(ARCH_CALLER(), p);
    } else {
        tls.deleting = 0;
    }
    real.free(p);
}

/* Forms of free that the C library may lack, and a library before ours all the more: then that
 * library's free gets the block, and may pass it on to our hook, which records. The function behind
 * ours may end up in free, too, which is our hook: `deleting` tells it that this is done. */
#define OTHER_FREE(name, parameters, arguments, next)                                              \
    HOOK void name parameters;                                                                     \
    HOOK void name parameters                                                                      \
    {                                                                                              \
        void(*real_free) parameters = next;                                                        \
        if (!p || arena_owns(p) || !real_found())                                                  \
            return;                                                                                \
        if (first.free) {                                                                          \
            first.free(p);                                                                         \
            return;                                                                                \
        }                                                                                          \
        if (real_ready()) {                                                                        \
            record_free(ARCH_CALLER(), p);                                                         \
            tls.deleting = (uintptr_t)p;                                                           \
        }                                                                                          \
        if (real_free)                                                                             \
            real_free arguments;                                                                   \
        else                                                                                       \
            real.free(p);                                                                          \
        tls.deleting = 0;                                                                          \
    }

OTHER_FREE(cfree, (void *p), (p), real.free)
OTHER_FREE(free_sized, (void *p, size_t size), (p, size), real.free_sized)
OTHER_FREE(free_aligned_sized, (void *p, size_t alignment, size_t size), (p, alignment, size),
           real.free_aligned_sized)

/* Not memcpy, which must not be called before real_works(). */
static void copy(volatile char *to, const char *from, size_t bytes)
{
    while (bytes--)
        *to++ = *from++;
}

/* Reallocates a block of the arena: the old block stays, its content is copied. */
static inline __attribute__((always_inline)) void *
realloc_from_arena(const struct arch_frame *caller, void *old, size_t size)
{
    int ours = !real_ready() || own_work();
    void *p = ours ? arena_alloc(16, size) : real.malloc(size);
    if (!p) {
        if (!ours && size)
            record_failed(caller, size);
        return NULL;
    }
    copy(p, old, arena_size(old) < size ? arena_size(old) : size);
    if (!arena_owns(p))
        record_alloc(caller, p, size);
    return p;
}

/* The block stays; size and stack are those of an allocation that failed. */
static inline __attribute__((always_inline)) void realloc_failed(const struct arch_frame *caller,
                                                                 size_t size)
{
    record_realloc_failed(caller);
    record_result(caller, NULL, size);
}

static inline __attribute__((always_inline)) void *realloc_recorded(const struct arch_frame *caller,
                                                                    void *old, size_t size)
{
    if (!old) {
        tls.newest = 0;
        void *p = real.realloc(NULL, size);
        record_result(caller, p, size);
        return p;
    }
    record_realloc_begin(caller, old);
    tls.newest = 0;
    void *p = real.realloc(old, size);
    if (p && __builtin_expect(tls.newest == (uintptr_t)p, 0))
        record_realloc_failed(caller); /* it was a malloc and a free, both through our hooks */
    else if (p)
        record_realloc_moved(caller, p, size);
    else if (size == 0)
        record_realloc_freed(caller);
    else
        realloc_failed(caller, size);
    return p;
}

HOOK void *realloc(void *old, size_t size)
{
    if (old && arena_owns(old))
        return realloc_from_arena(ARCH_CALLER(), old, size);
    if (__builtin_expect(!real_ready(), 0) && real_passive())
        return real.realloc(old, size);
    if (OURS() && !old)
        return arena_alloc(16, size);
    return realloc_recorded(ARCH_CALLER(), old, size);
}

/* Does not call the real one: glibc's calls realloc through the PLT, which is our hook again,
 * unless another comes before it. */
HOOK void *reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        if (!OURS() && !first.realloc)
            record_failed(ARCH_CALLER(), SIZE_MAX);
        errno = ENOMEM;
        return NULL;
    }
    if (old && arena_owns(old))
        return realloc_from_arena(ARCH_CALLER(), old, bytes);
    if (__builtin_expect(!real_ready(), 0) && real_passive())
        return real.reallocarray ? real.reallocarray(old, count, size) : real.realloc(old, bytes);
    if (OURS() && !old)
        return arena_alloc(16, bytes);
    if (__builtin_expect(first.realloc != NULL, 0))
        return first.realloc(old, bytes);
    return realloc_recorded(ARCH_CALLER(), old, bytes);
}

HOOK int posix_memalign(void **to, size_t alignment, size_t size)
{
    if (OURS())
        PASSIVE_OR(real.posix_memalign(to, alignment, size),
                   (*to = arena_alloc(alignment, size)) ? 0 : ENOMEM);
    tls.newest = 0;
    int error = real.posix_memalign(to, alignment, size);
    record_result(ARCH_CALLER(), error ? NULL : *to, size);
    return error;
}

#define ALIGNED_HOOK(name)                                                                         \
    HOOK void *name(size_t alignment, size_t size)                                                 \
    {                                                                                              \
        if (OURS())                                                                                \
            PASSIVE_OR(real.name(alignment, size), arena_alloc(alignment, size));                  \
        tls.newest = 0;                                                                            \
        void *p = real.name(alignment, size);                                                      \
        record_result(ARCH_CALLER(), p, size);                                                     \
        return p;                                                                                  \
    }

#define PAGE_HOOK(name)                                                                            \
    HOOK void *name(size_t size)                                                                   \
    {                                                                                              \
        if (OURS())                                                                                \
            PASSIVE_OR(real.name(size), arena_alloc(SPOOL_PAGE, size));                            \
        tls.newest = 0;                                                                            \
        void *p = real.name(size);                                                                 \
        record_result(ARCH_CALLER(), p, size);                                                     \
        return p;                                                                                  \
    }

ALIGNED_HOOK(aligned_alloc)
ALIGNED_HOOK(memalign)
PAGE_HOOK(valloc)
PAGE_HOOK(pvalloc)

HOOK size_t malloc_usable_size(void *p)
{
    if (p && arena_owns(p))
        return arena_size(p);
    return real_found() && real.malloc_usable_size ? real.malloc_usable_size(p) : 0;
}
