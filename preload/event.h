/*
 * event.h - one event into the stream of a thread whose guard is set: time, walk, encoding, commit.
 *
 * Nearly all events are usual ones: the thread has a chunk with room, and the stack, if the event
 * has one, is known (walk_cache.h) and has a number in the chunk. Those are written inline, by
 * event_begin, event_find and event_put, of a constant kind. event_record writes any event, and
 * event_go_on what event_begin has begun and event_put cannot write.
 *
 * A memory event that finds no room is counted as lost.
 */
#ifndef MPROF_EVENT_H
#define MPROF_EVENT_H

#include "arch_x86_64.h"
#include "init.h"
#include "loaded.h"
#include "selfcheck.h"
#include "spool_put.h"
#include "thread.h"

#include <stddef.h>
#include <stdint.h>

#define EVENT_SLACK 8 /* the encoder writes whole words */

/* Is it about memory that another thread may have released just now? */
static inline int event_acquires(enum spool_kind kind)
{
    return kind == SPOOL_ALLOC || kind == SPOOL_REALLOC_MOVED || kind == SPOOL_RANGE_MAP;
}

/* Has the stream a chunk, with room for an event of which only the head is to be written? */
static inline int event_has_room(const struct thread *t)
{
    return chunk_has_room(&t->stream, SPOOL_HEAD_MAX + EVENT_SLACK) &&
           __builtin_expect(t->stream.fresh == 0, 1);
}

/* The event begins: from here on whoever looks at the spool waits for it. Returns its time. */
static inline uint64_t event_begin(struct thread *t, enum spool_kind kind)
{
    chunk_busy(&t->stream);
    POINT("busy");
    uint64_t ticks = event_acquires(kind) ? init_ticks_after() : init_ticks();
    POINT("timed");
    return ticks;
}

/* The stack of `caller`, if it is known. */
static inline __attribute__((always_inline)) struct walk_cache_stack *
event_find(struct thread *t, struct registers caller)
{
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    struct memo *m = &t->memo;
    struct walk_cache_bounds own = {m->stack_low, m->stack_end};
    return walk_cache_find(&m->cache, caller, generation, own);
}

/* Can event_put write it? The self-check wants to see each stack walked. */
static inline int event_is_shown(const struct thread *t, const struct walk_cache_stack *k)
{
    return __builtin_expect(k != NULL, 1) &&
           __builtin_expect(k->number >= t->memo.first_number, 1) &&
           __builtin_expect(selfcheck_every == 0, 1);
}

/* Writes and commits an event; k: its stack, NULL none. There is room. */
static inline __attribute__((always_inline)) void event_put(struct thread *t, enum spool_kind kind,
                                                            uint64_t ticks, uint64_t address,
                                                            uint64_t size,
                                                            const struct walk_cache_stack *k)
{
    struct spool_event e = {.kind = kind, .ticks = ticks, .address = address, .size = size};
    struct stream *s = &t->stream;
    struct memo *m = &t->memo;
    struct spool_delta delta = s->delta;
    if (k) { /* one of the chunk's numbers, or again the last one */
        e.has_stack = 1;
        e.from_node = m->shown != k;
        e.base = m->shown != k ? k->number - m->first_number : 0;
        s->depth = k->frames;
        m->shown = k;
    }
    chunk_commit(s, s->committed + spool_put_event(s->committed, &delta, &e));
    __atomic_store_n(&s->chunk->busy, 0, __ATOMIC_RELEASE);
    s->delta = delta;
}

/* The rest of an event that has begun, whose time is e->ticks. walked: with the stack of `caller`;
 * known: that, where event_find has found it. `payload` has e->size bytes. Where a handler has
 * forked in the middle, the child inherits the event if its time was read before that; otherwise it
 * records it in a state of its own. */
void event_go_on(struct thread *t, struct registers caller, struct spool_event *e, int walked,
                 struct walk_cache_stack *known, const void *payload);

/* Records any event. Leaves its time in e->ticks, and SPOOL_NOTHING in e->kind where it is lost. */
void event_record(struct thread *t, struct registers caller, struct spool_event *e, int walked,
                  const void *payload);

/* Records in t's stream whose events follow. For thread.c, before anything else goes there. */
void event_thread(struct thread *t);

/* The calling thread's name, filled up with zeros; empty where we may not ask. */
void event_read_name(char *name);

/* As what a lost event counts: neither a failed allocation nor a change of protection is an
 * allocation or a mapping that was lost. */
enum spool_kind event_kind_lost(const struct spool_event *e);

#endif
