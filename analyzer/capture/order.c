/* order.c - the heap of streams: refreshing, and taking events in order. */
#include "order.h"
#include "stream_read.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STALL_NS      5000000000u /* a busy stream is waited for this long */
#define HANDOVER_NS   50000000u   /* between two chunks of a stream */
#define FRUITLESS_MAX 10000

void order_init(struct order *o, struct spool_file *file)
{
    memset(o, 0, sizeof *o);
    o->file = file;
}

static void stream_free(struct stream *s)
{
    free(s->chunks);
    free(s->window);
    free(s->batch);
    free(s);
}

void order_clear(struct order *o)
{
    for (size_t i = 0; i < o->stream_count; i++)
        if (o->streams[i])
            stream_free(o->streams[i]);
    free(o->streams);
    free(o->heap);
    free(o->in_heap);
    intmap_clear(&o->by_id);
    memset(o, 0, sizeof *o);
}

/* ---- the heap ---- */

static int is_before(const struct stream *a, const struct stream *b)
{
    if (a->event->ticks != b->event->ticks)
        return a->event->ticks < b->event->ticks;
    if (a->process != b->process)
        return a->process < b->process;
    return a->number < b->number;
}

static void sift_down(struct order *o, size_t i)
{
    struct stream *moving = o->heap[i];

    for (size_t child; (child = 2 * i + 1) < o->heap_count; i = child) {
        if (child + 1 < o->heap_count && is_before(o->heap[child + 1], o->heap[child]))
            child++;
        if (is_before(moving, o->heap[child]))
            break;
        o->heap[i] = o->heap[child];
    }
    o->heap[i] = moving;
}

static void heap_push(struct order *o, struct stream *s)
{
    o->in_heap =
        xgrow(o->in_heap, &o->process_capacity, (size_t)s->process + 1, sizeof *o->in_heap);
    o->in_heap[s->process]++;
    o->until = 0; /* it may be its turn */
    o->heap = xgrow(o->heap, &o->heap_capacity, o->heap_count + 1, sizeof *o->heap);
    size_t i = o->heap_count++;
    while (i > 0 && is_before(s, o->heap[(i - 1) / 2])) {
        o->heap[i] = o->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    o->heap[i] = s;
}

static void heap_remove(struct order *o, size_t i)
{
    struct stream *last = o->heap[o->heap_count - 1];

    if (--o->in_heap[o->heap[i]->process] == 0)
        o->drained = o->heap[i]->process + 1;
    o->heap_count--;
    if (i == o->heap_count)
        return;
    o->heap[i] = last;
    sift_down(o, i);
    if (o->heap[i] == last) { /* it may belong further up instead */
        while (i > 0 && is_before(last, o->heap[(i - 1) / 2])) {
            o->heap[i] = o->heap[(i - 1) / 2];
            i = (i - 1) / 2;
        }
        o->heap[i] = last;
    }
}

/* ---- what is there to be read ---- */

static struct stream *find_stream(struct order *o, uint32_t process, uint32_t id)
{
    uint64_t *place = intmap_place(&o->by_id, (uint64_t)process << 32 | id);

    if (*place)
        return o->streams[*place - 1];
    struct stream *s = xcalloc(1, sizeof *s);
    o->streams = xgrow(o->streams, &o->stream_capacity, o->stream_count + 1, sizeof *o->streams);
    o->streams[o->stream_count] = s;
    s->number = (uint32_t)o->stream_count++;
    s->process = process;
    s->id = id;
    *place = o->stream_count;
    return s;
}

/* spool_file_scan's callback: adds the chunk to its stream. */
static void chunk_found(void *context, const struct spool_chunk *chunk)
{
    struct order *o = context;

    if (chunk->process >= spool_file_process_count(o->file) + SPOOL_FILE_GAP) {
        o->damaged = 1;
        return;
    }
    struct stream *s = find_stream(o, chunk->process, chunk->stream);
    if (!s)
        return; /* of a process that is known to be over */
    struct chunk_place place = {chunk->offset, chunk->bytes,
                                chunk->index,  chunk->sequence,
                                chunk->opened, (chunk->flags & SPOOL_CHUNK_SLOT) != 0};
    if (!stream_add_chunk(s, place, (chunk->flags & SPOOL_CHUNK_COPY) != 0))
        o->damaged |=
            !(chunk->flags & SPOOL_CHUNK_COPY); /* of a copy the original was there, too */
    else if (o->found)
        o->found(o->context, chunk);
}

static uint64_t monotonic_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct spool_progress read_progress(const struct order *o, const struct stream *s)
{
    const struct chunk_place *last = &s->chunks[s->chunk_count - 1];
    return spool_file_progress(o->file, last->offset, last->bytes, last->sequence);
}

/* First look: is the stream between an event's time and its commit? Before the commit words are
 * read: if it is not, whatever comes later has a later time than this moment. */
static void look_busy(struct order *o, struct stream *s, uint64_t now_ns)
{
    struct spool_progress p = read_progress(o, s);

    if (memcmp(&p, &s->progress, sizeof p) != 0) {
        s->progress = p;
        s->progress_ns = now_ns;
    }
    uint64_t patience = p.closed ? HANDOVER_NS : STALL_NS;
    s->busy = (p.busy || p.closed) && now_ns - s->progress_ns < patience;
}

static void wait_for(struct order *o, const struct stream *s)
{
    uint64_t ticks = s->last_ticks;

    if (s->chunk_count && !stream_has_gap(s) && s->chunks[s->chunk_count - 1].opened.ticks > ticks)
        ticks = s->chunks[s->chunk_count - 1].opened.ticks;
    if (ticks < o->limit)
        o->limit = ticks;
}

/* The stream's next event: 1, or 0 where there is none. A snapshot's reader may find that a
 * collector has moved the chunk meanwhile; then it goes on in the copy. */
static int go_on(struct order *o, struct stream *s)
{
    for (unsigned tries = 0; tries < 3; tries++) {
        if (stream_advance(s, o->file))
            return 1;
        if (!s->is_stale)
            break;
        spool_file_refresh(o->file);
        spool_file_scan(o->file, chunk_found, o);
        stream_look_again(s, o->file);
    }
    return 0;
}

/* Second look: what is committed? */
static void look_committed(struct order *o, struct stream *s)
{
    if (s->current + 1 == s->chunk_count)
        s->committed = read_progress(o, s).bytes;
    if (s->has_event)
        return;
    if (go_on(o, s))
        heap_push(o, s);
    else if (s->busy || stream_has_gap(s))
        wait_for(o, s);
    o->damaged |= s->spoiled;
}

void order_refresh(struct order *o, int live, uint64_t now, uint64_t slack)
{
    uint64_t now_ns = monotonic_ns();
    size_t known = o->stream_count;

    o->limit = live ? now - slack : UINT64_MAX;
    for (size_t i = 0; i < o->stream_count; i++)
        if (o->streams[i] && o->streams[i]->chunk_count)
            look_busy(o, o->streams[i], now_ns);
    spool_file_refresh(o->file);
    spool_file_scan(o->file, chunk_found, o);
    for (size_t i = 0; i < o->stream_count; i++) {
        struct stream *s = o->streams[i];
        if (!s || !s->chunk_count)
            continue;
        if (i >= known)
            look_busy(o, s, now_ns);
        s->busy &= live;
        s->waits = live;
        look_committed(o, s);
    }
}

/* ---- taking ---- */

/* The event of heap[i] was taken: the stream's next one, or the stream leaves the heap. */
static void advance(struct order *o, size_t i)
{
    struct stream *s = o->heap[i];

    if (go_on(o, s)) {
        sift_down(o, i);
        return;
    }
    o->damaged |= s->spoiled;
    if (s->busy || stream_has_gap(s))
        wait_for(o, s);
    heap_remove(o, i);
}

/* Until when heap[0] may go on. */
static uint64_t turn_of_next(const struct order *o)
{
    uint64_t until = o->limit < UINT64_MAX ? o->limit + 1 : UINT64_MAX;

    for (size_t i = 1; i < o->heap_count && i <= 2; i++)
        if (o->heap[i]->event->ticks < until)
            until = o->heap[i]->event->ticks;
    return until;
}

struct stream *order_next_slow(struct order *o)
{
    if (o->taken) {
        size_t i = 0;
        while (o->heap[i] != o->taken) /* another one has joined in front of it */
            i++;
        o->taken = NULL;
        advance(o, i);
    }
    if (o->heap_count == 0 || o->heap[0]->event->ticks > o->limit)
        return NULL;
    o->until = turn_of_next(o);
    return o->taken = o->heap[0];
}

struct stream *order_find(struct order *o, uint32_t process, enum order_wanted wanted,
                          uint64_t address, size_t *events)
{
    struct stream *best = NULL;
    uint64_t until = o->taken ? o->taken->event->ticks + o->window : 0;

    if (o->fruitless > FRUITLESS_MAX)
        return NULL;
    for (size_t i = 0; i < o->stream_count; i++) {
        struct stream *s = o->streams[i];
        if (!s || s == o->taken || s->out_of_order || s->process != process || !s->chunk_count)
            continue;
        look_committed(o, s);
        size_t ahead;
        uint64_t ticks = stream_find(s, o->file, wanted, address, until, &ahead);
        if (ticks) {
            best = s;
            *events = ahead;
            until = ticks - 1; /* of the others only an earlier one is better */
        }
    }
    if (best == NULL)
        o->fruitless++;
    return best;
}

void order_step_stream(struct order *o, struct stream *s)
{
    for (size_t i = 0; i < o->heap_count; i++)
        if (o->heap[i] == s) {
            advance(o, i);
            return;
        }
}

int order_is_drained(const struct order *o, uint32_t process)
{
    return process >= o->process_capacity || o->in_heap[process] == 0;
}

void order_release(struct order *o, uint32_t process,
                   void (*release)(void *context, struct stream *s), void *context)
{
    for (size_t i = 0; i < o->stream_count; i++) {
        struct stream *s = o->streams[i];
        if (!s || s->process != process || s->has_event)
            continue;
        release(context, s);
        stream_free(s);
        o->streams[i] = NULL;
    }
}
