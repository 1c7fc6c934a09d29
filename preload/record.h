/*
 * record.h - from a hook's facts to an event in the thread's stream.
 *
 * Each function is called once a hooked call, with the registers of the hook's caller. They fail
 * silently: what cannot be recorded is counted as lost. errno is left alone. The cost is that of
 * the walk (walk.h), a time stamp (8 ns) and about 10 ns of encoding.
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
void record_free(const struct arch_frame *caller, const void *p);

void record_realloc_begin(const struct arch_frame *caller, const void *old);
void record_realloc_moved(const struct arch_frame *caller, const void *p, size_t size);
void record_realloc_failed(const struct arch_frame *caller);
void record_realloc_freed(const struct arch_frame *caller);

void record_range_begin(const struct arch_frame *caller, const void *p, size_t length);
void record_range_map(const struct arch_frame *caller, const void *p, size_t length);
void record_range_dropped(const struct arch_frame *caller);
void record_range_failed(const struct arch_frame *caller);

void record_sample(uint64_t ns, uint64_t rss_bytes);
void record_fork(uint32_t child_serial);
/* In the parent: that fork has returned. In the child: what it has of others' events (spool.h). */
void record_forked(uint32_t child_serial);
void record_birth(const struct spool_birth *births, size_t count);
void record_exec(const char *path);

/* Tells the calling thread's name where it is not the one told before. Costs a system call. */
void record_name(void);
/* The same of another thread, if it has had an event. */
void record_name_of(pthread_t thread, const char *name);

/* In the middle of a hook, t entered: behind the event that was just recorded. */
void record_label(struct thread *t, uint64_t number, const void *payload, size_t bytes);

/* Says in t's stream whose events follow. For thread.c, before anything else goes there. */
void record_thread(struct thread *t);

#endif
