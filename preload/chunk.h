/*
 * chunk.h - streams and their chunks, and the count of what was lost. Where the chunks lie is the
 * business of spool_map.h and window.h.
 *
 * Threads: any for the spool_* functions; a stream belongs to one thread at a time.
 */
#ifndef MPROF_CHUNK_H
#define MPROF_CHUNK_H

#include "points.h"
#include "spool_map.h"
#include "window.h"

#include <stddef.h>
#include <stdint.h>

enum stream_fresh {
    STREAM_NEW_CHUNK = 1, /* the next stack is written whole */
    STREAM_NEW_OWNER = 2,
    STREAM_UNSEEN = 4, /* the stream had no chunk to be seen busy in */
};

/*
 * A stream's place in its chunk:
 *   chunk + sizeof *chunk <= committed <= limit <= end
 * The bytes after `committed`, where an event is being written, belong to nobody until
 * chunk_commit.
 */
struct stream {
    struct spool_chunk *chunk; /* NULL: none yet, or lost for want of space */
    struct slot slot;          /* the chunk's place in a window; none: it is mapped on its own */
    uint8_t *committed;        /* the next event goes here */
    uint8_t *limit;            /* pages are populated up to here */
    uint8_t *end;
    struct spool_delta delta;
    uint32_t serial_plus_1; /* the stream's number, 0 none yet */
    uint32_t next_index;
    uint32_t next_bytes;
    uint32_t sequence; /* the chunk's, for the commit word */
    uint32_t fresh;    /* enum stream_fresh bits: why a THREAD event is still to be written */
    uint32_t depth;    /* frames on the decoder's stack */
    uint64_t shown;    /* a time at which the newest chunk could be seen (ticks) */
    uint64_t retry;    /* after a failure: no further try before this time (ticks) */
    struct spool_chunk *opening; /* the next chunk, once its place is known; else NULL */
    uint8_t *opening_end;
    uint32_t opening_sequence, opening_index;
};

/* In a forked child: forgets the windows and the room set aside, which are the parent's. */
void spool_after_fork(void);

static inline int chunk_has_room(const struct stream *s, size_t bytes)
{
    return __builtin_expect((size_t)(s->limit - s->committed) >= bytes, 1);
}

/* Does the chunk reach so far, whatever of it is populated? */
static inline int chunk_reaches(const struct stream *s, size_t bytes)
{
    return s->chunk && (size_t)(s->end - s->committed) >= bytes;
}

/* Makes room for `bytes` at stream->committed: 1, or 0 (lost). May open a new chunk
 * (stream->fresh), with room for at least `in_new`: what must be written there first, and the
 * event. The previous chunk stays the stream's, and busy, until the new one is visible. If the
 * stream had none, the event's time is `shown`, if that is later (doc/format.md, "The protocol").
 */
int chunk_reserve(struct stream *s, size_t bytes, size_t in_new);

static inline void chunk_busy(struct stream *s)
{
    if (__builtin_expect(s->chunk != NULL, 1))
        __atomic_store_n(&s->chunk->busy, 1, __ATOMIC_RELAXED);
}

/* No event is under way any more. */
static inline void chunk_idle(struct stream *s)
{
    if (s->chunk)
        __atomic_store_n(&s->chunk->busy, 0, __ATOMIC_RELEASE);
}

/* Makes the event that ends at `end` valid; the chunk stays busy until chunk_idle. */
static inline void chunk_commit(struct stream *s, uint8_t *end)
{
    struct spool_chunk *c = s->chunk;
    s->committed = end;
    uint64_t bytes = (uint64_t)(end - (uint8_t *)(c + 1));
    POINT("encoded");
    __atomic_store_n(&c->commit, (uint64_t)s->sequence << 32 | bytes, __ATOMIC_RELEASE);
    POINT("committed");
}

/* The stream has much to say again in each chunk: the next one may be large. */
static inline void chunk_wants_large(struct stream *s)
{
    if (s->next_bytes == SLOT_BYTES)
        s->next_bytes = SLOT_BYTES_LARGE;
}

/* The chunk's cursor can no longer be trusted: closes the chunk. The stream takes a new one. */
void chunk_abandon(struct stream *s);

/* In a forked child: forgets the chunk, which is the parent's. */
void chunk_forget(struct stream *s);

/* In a child forked by a handler that interrupted a hook: the hook will go on writing to the chunk,
 * so private memory takes its place. A stream without one, or whose chunk is full, becomes a new
 * one. Nobody else uses it any more. */
void chunk_detach(struct stream *s);

/* Counts a lost event in the process's entry, which always has room. A lost REALLOC_MOVED counts as
 * an allocation and a free. */
void spool_lost(enum spool_kind kind, uint64_t bytes);

/* In a forked child without a process entry: from here on, whatever it does is counted as lost. */
void spool_unplaced(void);

#endif
