/*
 * record.h - turns a hook's facts into an event in the thread's stream.
 *
 * Each function is called once per hooked call, with the frame record of the hook (ARCH_CALLER), by
 * any thread. They fail silently: a memory event that cannot be recorded is counted as lost. errno
 * is left alone. The cost is that of the walk (walk.h), a time stamp (8 ns) and about 10 ns of
 * encoding.
 *
 * Order: record_free and the _begin functions before the real call, the others after it.
 */
#ifndef MPROF_RECORD_H
#define MPROF_RECORD_H

#include "arch_x86_64.h"
#include "thread.h"

#include <pthread.h>
#include <stddef.h>

void record_alloc(const struct arch_frame *caller, const void *p, size_t size);
/* A call for `size` bytes that brought nothing. */
void record_failed(const struct arch_frame *caller, size_t size);
void record_free(const struct arch_frame *caller, const void *p);

/* tls.newest holds the address that the thread's last recorded allocation brought, and this where
 * it brought none. */
#define RECORD_FAILED 1

/* What a call for `size` bytes brought: a block, or nothing. An allocator behind us may build its
 * other forms on a call to malloc, which is our hook: then tls.newest says that the block, or the
 * failure, is recorded already. The hook clears it before the call. */
static inline __attribute__((always_inline)) void record_result(const struct arch_frame *caller,
                                                                const void *p, size_t size)
{
    if (__builtin_expect(p != NULL, 1)) {
        if (tls.newest != (uintptr_t)p)
            record_alloc(caller, p, size);
    } else if (size && tls.newest != RECORD_FAILED) { /* NULL is a right answer to 0 bytes */
        record_failed(caller, size);
    }
}

void record_realloc_begin(const struct arch_frame *caller, const void *old);
void record_realloc_moved(const struct arch_frame *caller, const void *p, size_t size);
void record_realloc_failed(const struct arch_frame *caller);
void record_realloc_freed(const struct arch_frame *caller);

void record_range_begin(const struct arch_frame *caller, const void *p, size_t length);
/* what: spool_range_of(). */
void record_range_map(const struct arch_frame *caller, const void *p, size_t length, uint64_t what);
void record_range_dropped(const struct arch_frame *caller);
void record_range_failed(const struct arch_frame *caller);

/* The end of what record_range_begin began. */
static inline void record_range_end(const struct arch_frame *caller, int has_failed)
{
    if (has_failed)
        record_range_failed(caller);
    else
        record_range_dropped(caller);
}

void record_sample(uint64_t rss_bytes);
uint64_t record_fork(uint32_t child_serial); /* returns its time (ticks); 0 without a state */
/* In the parent: that fork has returned. In the child: what its memory holds of other threads'
 * events (spool.h). */
void record_forked(uint32_t child_serial);
void record_birth(const struct spool_birth *births, size_t count);
void record_exec(const char *path);

/* Records the calling thread's name if it has changed. Costs a system call. */
void record_name(void);
/* The same for another thread, if it has had an event. */
void record_name_of(pthread_t thread, const char *name);

/* Inside a hook, with t entered: records a label after the event that was just recorded. */
void record_label(struct thread *t, uint64_t number, const void *payload, size_t bytes);

#endif
