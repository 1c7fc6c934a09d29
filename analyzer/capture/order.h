/*
 * order.h - the events of a spool's streams, merged in order of time.
 *
 * A stream is read chunk by chunk; a queue of streams gives the earliest next event. Memory: a
 * window of at most some tens of KiB for each stream with something to read; nothing per event.
 *
 * While the program runs, only events certain to be in order are given. The recorder's rules
 * (doc/format.md, "The protocol") ensure this: a thread marks a visible chunk busy before it reads
 * an event's time. So an event not committed when we looked is either later than the limit, a
 * millisecond before that look, or from a busy stream, which holds back everything later than its
 * own last event. However long a thread stands still, its stream is waited for until it commits or
 * its process is known to be over (is_over).
 *
 * A stream may also be made to wait for another's event (order_wait); its own events follow once
 * that has come.
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
    struct chunk_place *chunks; /* in order of index */
    size_t chunk_count, chunk_capacity;
    size_t current;     /* the chunk being read */
    size_t moved;       /* chunks before it have been given back (recycle.h) */
    uint64_t committed; /* the current chunk's valid event bytes */
    uint64_t consumed;  /* of these, taken by the caller before the batch */
    int spoiled;        /* the rest of this chunk is not readable */
    int damaged;        /* something was left out for good */
    int is_stale;       /* the current chunk's place now holds another: there must be a copy */
    int waits;          /* it waits for the chunks that fill a gap */
    int looked_again;   /* the commit word was read after the next chunk was known */
    uint8_t *window;    /* event bytes [window_start, + window_bytes) */
    uint64_t window_start;
    size_t window_bytes, window_capacity;
    struct spool_delta delta; /* after the batch */
    uint64_t last_ticks;      /* of the batch's last event */

    struct spool_event *event;  /* the next one, batch->events[at]; times never fall in a stream */
    struct stream_batch *batch; /* NULL: there is none */
    uint32_t at, count;
    int has_event;

    int busy;         /* holds back what is later than its last event */
    size_t looked_at; /* chunks known at the last look */
    struct spool_progress progress;
    uint64_t progress_ns; /* CLOCK_MONOTONIC when `progress` changed, or is_over was asked */

    uint64_t wait_address; /* it waits for an order_wake of this address */
    uint64_t gave_up_at;   /* time of the event that waited in vain; 0: none */

    void *user; /* the collector's */
};

/* Is the present event the first of its chunk, with the decoder's stack empty before it? */
static inline int stream_is_at_start(const struct stream *s)
{
    return s->at == 0 && s->consumed == 0;
}

struct order {
    struct spool_file *file;
    struct stream **streams; /* by number; NULL: released */
    size_t stream_count, stream_capacity;
    struct intmap by_id;   /* process << 32 | id -> number + 1 */
    struct stream **queue; /* a heap of those with an event, the earliest first */
    size_t queue_count, queue_capacity;
    struct stream **waiting; /* those whose event waits for another stream's, in no order */
    size_t waiting_count, waiting_capacity;
    struct stream *taken;  /* the earliest, while its event is with the caller */
    uint64_t until;        /* its events before this time come next, whatever the others hold */
    uint64_t limit;        /* nothing later than this is given */
    uint64_t limit_before; /* the previous refresh's limit */
    uint64_t given;        /* time of the last event given in the turn before */
    int has_waited;        /* a stream that waited is catching up */
    unsigned long late; /* events given after later ones: none, if the recorder keeps its rules */
    uint64_t patience;  /* how long an event waits, in ticks; the collector sets it */
    int damaged;        /* bytes were left out because they made no sense */
    uint32_t *unread;   /* by process: how many of its streams have an event */
    size_t process_capacity;

    /* Called for each chunk that appears; may be NULL. */
    void (*found)(void *context, const struct spool_chunk *chunk);
    /* Will this process certainly write no more? NULL: that is never known. */
    int (*is_over)(void *context, uint32_t process);
    void *context;
};

void order_init(struct order *o, struct spool_file *file);
void order_clear(struct order *o); /* the user pointers are not released */

/* Looks for what has been committed. live: the program runs, so nothing later than now - slack
 * (this moment and a millisecond, in ticks) is given; otherwise everything is. */
void order_refresh(struct order *o, int live, uint64_t now, uint64_t slack);

struct stream *order_next_slow(struct order *o);

/* The stream whose event is next, or NULL. The event, and what it points to, is valid until the
 * next call. A stream goes on until another's turn has come. */
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
 * Sets back the event given last, which cannot have happened yet: it waits until another stream of
 * its process does something at `address`. A later order_next gives it again: after order_wake of
 * that address, or once all streams have gone on for o->patience without one. Returns 0 if it has
 * waited already or there is no other stream; then it is still the event given last.
 */
int order_wait(struct order *o, uint64_t address);

void order_wake_slow(struct order *o, uint32_t process, uint64_t address);

/* Something has happened at the address: streams waiting for it go on. */
static inline void order_wake(struct order *o, uint32_t process, uint64_t address)
{
    if (__builtin_expect(o->waiting_count > 0, 0))
        order_wake_slow(o, process, address);
}

/* Have all events been given that the process's streams held at the last refresh? Valid until the
 * next refresh. */
static inline int order_is_drained(const struct order *o, uint32_t process)
{
    return process >= o->process_capacity || o->unread[process] == 0;
}

/* Forgets all streams of a process that is drained and will write no more; calls `release` for
 * each. */
void order_release(struct order *o, uint32_t process,
                   void (*release)(void *context, struct stream *s), void *context);

#endif
