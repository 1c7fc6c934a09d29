/*
 * order.h - the events of all streams of a spool in one order of time.
 *
 * A stream is read chunk by chunk; a heap of streams gives the earliest next event. Memory: a
 * window of at most some tens of KiB for each stream that has something to be read, not for events.
 *
 * While the program runs, only what is certain to be in order is given: the recorder marks a stream
 * busy before it takes an event's time. So everything that was not yet committed when we looked
 * either is later than a millisecond before that look, or comes from a busy stream, and such a
 * stream holds back all that is later than its own last event. A stream that stays busy for
 * seconds (its process was killed or stopped) is no longer waited for.
 *
 * Equal times: lower process serial first, then lower stream. One owner, one thread.
 */
#ifndef MPROF_ORDER_H
#define MPROF_ORDER_H

#include "intmap.h"
#include "spool_file.h"

struct chunk_place {
    uint64_t offset, bytes;
    uint32_t index, sequence;
    struct spool_moment opened;
    int is_slot; /* the space can be given back to the recorder */
};

#define STREAM_BATCH 64

/* Events decoded ahead, all of one chunk. */
struct stream_batch {
    struct spool_event events[STREAM_BATCH];
    uint64_t ends[STREAM_BATCH]; /* where each ends in the chunk's event bytes */
};

struct stream {
    uint32_t process, id;
    uint32_t number;            /* from 0, among all streams of the spool */
    struct chunk_place *chunks; /* by index */
    size_t chunk_count, chunk_capacity;
    size_t current;     /* the chunk being read */
    size_t moved;       /* chunks before it have been given back (recycle.h) */
    uint64_t committed; /* valid event bytes of it */
    uint64_t consumed;  /* of these, taken by the caller before the batch */
    int spoiled;        /* the rest of this chunk is not readable */
    int is_stale;       /* its place has become another chunk's: there must be a copy */
    int waits;          /* a gap between two chunks is one that has not been seen yet */
    int looked_again;   /* its commit word was read when the next chunk was known */
    uint8_t *window;    /* event bytes [window_start, + window_bytes) */
    uint64_t window_start;
    size_t window_bytes, window_capacity;
    struct spool_delta delta; /* behind the batch */
    uint64_t last_ticks;      /* of the batch's last event */

    struct spool_event *event;  /* the next one, batch->events[at]; times never fall in a stream */
    struct stream_batch *batch; /* NULL: there is none */
    uint32_t at, count;
    int has_event;

    int out_of_order; /* the collector is taking its events ahead of others */

    int busy; /* holds back what is later than its last event */
    struct spool_progress progress;
    uint64_t progress_ns; /* CLOCK_MONOTONIC when `progress` last changed */

    void *user; /* the collector's */
};

/* Is the present event the first of its chunk: is the decoder's stack empty before it? */
static inline int stream_is_at_start(const struct stream *s)
{
    return s->at == 0 && s->consumed == 0;
}

struct order {
    struct spool_file *file;
    struct stream **streams; /* by number; NULL: released */
    size_t stream_count, stream_capacity;
    struct intmap by_id;  /* process << 32 | id -> number + 1 */
    struct stream **heap; /* those with an event, the earliest first */
    size_t heap_count, heap_capacity;
    struct stream *taken; /* the earliest, while its event is with the caller */
    uint64_t until;       /* its events before this time are next, whatever the others have */
    uint64_t limit;       /* nothing later than this is given */
    uint64_t window;      /* how far order_find looks ahead, in ticks; the collector sets it */
    int damaged;          /* bytes were left out because they made no sense */
    unsigned fruitless;   /* searches of order_find that found nothing */
    uint32_t *in_heap;    /* by process: its streams that have an event */
    size_t process_capacity;
    uint32_t
        drained; /* 1 + a process whose last stream has just run out; the collector zeroes it */
    void (*found)(void *context, const struct spool_chunk *chunk); /* each chunk; may be NULL */
    void *context;
};

void order_init(struct order *o, struct spool_file *file);
void order_clear(struct order *o); /* the user pointers are not released */

/* Looks for what has been committed. live: the program runs; now, slack: this moment and a
 * millisecond, in ticks. Otherwise everything is given. */
void order_refresh(struct order *o, int live, uint64_t now, uint64_t slack);

struct stream *order_next_slow(struct order *o);

/* The stream whose event is next, or NULL. The event, and what it points to, is valid until the
 * next call. A stream goes on until another one's turn has come. */
static inline struct stream *order_next(struct order *o)
{
    struct stream *s = o->taken;

    if (s && s->at + 1 < s->count && s->event[1].ticks < o->until) {
        s->at++;
        s->event++;
        return s;
    }
    return order_next_slow(o);
}

/*
 * Times of two processors may contradict what must have been: a thread's counter can be read before
 * what came just before it is complete, and counters differ a little. So a free may seem to come
 * before its allocation, or an allocation before the free that made room. This looks for the event
 * that releases `address` (or makes it live), not more than o->window later than the one that was
 * given last, in the other streams of the process. Returns the stream of the earliest one and how
 * many of its events have to be taken first, that one included, or NULL. Take the stream's present
 * event, then order_step_stream, and so on.
 */
enum order_wanted { ORDER_RELEASE, ORDER_ACQUIRE };
struct stream *order_find(struct order *o, uint32_t process, enum order_wanted wanted,
                          uint64_t address, size_t *events);

/* The stream's present event was taken out of order: on to the next one. */
void order_step_stream(struct order *o, struct stream *s);

/* Has every event been given that the process's streams held at the last refresh? */
int order_is_drained(const struct order *o, uint32_t process);

/* Forgets the streams of a process that will write no more; calls `release` for each. */
void order_release(struct order *o, uint32_t process,
                   void (*release)(void *context, struct stream *s), void *context);

#endif
