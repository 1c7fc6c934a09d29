/*
 * interpose_cxx.c - operator new and delete, as forwarders.
 *
 * Those of libstdc++ and libc++ end up in malloc and free, which we hook anyway: for them these
 * hooks are one jump. An allocator that brings its own (jemalloc, tcmalloc, mimalloc) does not come
 * that way; for it the hook records. Whoever provides them, a block is counted once: the hook skips
 * what its provider turned out to have passed through malloc or free.
 *
 * Only callers that were there from the start come by here, and only where there is a provider: in
 * all other cases the hook cannot be found any more (hide.h). So one provider serves all callers:
 * the first behind us, as for any object that was loaded with the program. A plugin gets its own,
 * as it would without us.
 */
#include "hook.h"
#include "init.h"
#include "real.h"
#include "record.h"

#include <stdlib.h>

struct forwarder {
    void *function;
    int forwards; /* the provider calls malloc or free */
};

static __attribute__((noinline)) void *find(struct forwarder *f, const char *symbol)
{
    int forwards;
    void *function = real_cxx(symbol, &forwards);
    if (!function)
        abort(); /* nobody provides what the program was linked to: it could not have started */
    f->forwards = forwards;
    __atomic_store_n(&f->function, function, __ATOMIC_RELEASE);
    return function;
}

static inline void *provider(struct forwarder *f, const char *symbol)
{
    void *function = __atomic_load_n(&f->function, __ATOMIC_ACQUIRE);
    return __builtin_expect(function != NULL, 1) ? function : find(f, symbol);
}

/* For an allocator's own new: recorded here unless it came through our malloc after all. One that
 * throws does not come back here, so its failure is not recorded. */
static void allocated(const struct arch_frame *caller, const void *p, size_t size)
{
    if (!own_work())
        record_result(caller, p, size);
}

/* NEW(name, parameters, arguments): the size is the first argument. */
#define NEW(name, parameters, arguments)                                                           \
    HOOK void *name parameters;                                                                    \
    HOOK void *name parameters                                                                     \
    {                                                                                              \
        static struct forwarder f;                                                                 \
        void *(*real_new)parameters = provider(&f, #name);                                         \
        if (__builtin_expect(f.forwards, 1))                                                       \
            return real_new arguments;                                                             \
        tls.newest = 0;                                                                            \
        void *p = real_new arguments;                                                              \
        allocated(ARCH_CALLER(), p, size);                                                         \
        return p;                                                                                  \
    }

/* DELETE: records the free before the real call; `deleting` tells our free() that. */
#define DELETE(name, parameters, arguments)                                                        \
    HOOK void name parameters;                                                                     \
    HOOK void name parameters                                                                      \
    {                                                                                              \
        static struct forwarder f;                                                                 \
        void(*real_delete) parameters = provider(&f, #name);                                       \
        if (!__builtin_expect(f.forwards, 1) && p && !own_work()) {                                \
            record_free(ARCH_CALLER(), p);                                                         \
            tls.deleting = (uintptr_t)p;                                                           \
            real_delete arguments;                                                                 \
            tls.deleting = 0;                                                                      \
            return;                                                                                \
        }                                                                                          \
        real_delete arguments;                                                                     \
    }

NEW(_Znwm, (size_t size), (size))
NEW(_Znam, (size_t size), (size))
NEW(_ZnwmRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))
NEW(_ZnamRKSt9nothrow_t, (size_t size, const void *nothrow), (size, nothrow))
NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow),
    (size, alignment, nothrow))
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, const void *nothrow),
    (size, alignment, nothrow))

DELETE(_ZdlPv, (void *p), (p))
DELETE(_ZdaPv, (void *p), (p))
DELETE(_ZdlPvm, (void *p, size_t size), (p, size))
DELETE(_ZdaPvm, (void *p, size_t size), (p, size))
DELETE(_ZdlPvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow))
DELETE(_ZdaPvRKSt9nothrow_t, (void *p, const void *nothrow), (p, nothrow))
DELETE(_ZdlPvSt11align_val_t, (void *p, size_t alignment), (p, alignment))
DELETE(_ZdaPvSt11align_val_t, (void *p, size_t alignment), (p, alignment))
DELETE(_ZdlPvmSt11align_val_t, (void *p, size_t size, size_t alignment), (p, size, alignment))
DELETE(_ZdaPvmSt11align_val_t, (void *p, size_t size, size_t alignment), (p, size, alignment))
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t alignment, const void *nothrow),
       (p, alignment, nothrow))
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *p, size_t alignment, const void *nothrow),
       (p, alignment, nothrow))
