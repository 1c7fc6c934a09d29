/* order_look.c - refreshing: finds chunks, reads commit words, waits for busy streams. */
#include "order_look.h"
#include "stream_read.h"
#include "xalloc.h"

#include <string.h>
#include <time.h>

#define ASK_NS 100000000u /* how often to ask whether a busy stream's process is over */

/* A chunk became visible before its successor did, so a second look finds it; a third finds what
 * another collector has moved in between. */
#define LOOKS 3

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
    int is_copy = (chunk->flags & SPOOL_CHUNK_COPY) != 0; /* the original is there, too */

    if (chunk->process >= spool_file_process_count(o->file) + SPOOL_FILE_GAP) {
        o->damaged = 1;
        return;
    }
    struct stream *s = find_stream(o, chunk->process, chunk->stream);
    if (!s) { /* its stream was released: the process was over */
        o->damaged |= !is_copy;
        return;
    }
    struct chunk_place place = {chunk->offset, chunk->bytes,
                                chunk->index,  chunk->sequence,
                                chunk->opened, (chunk->flags & SPOOL_CHUNK_SLOT) != 0};
    if (!stream_add_chunk(s, place, is_copy))
        o->damaged |= !is_copy;
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

/* Is nobody left to finish the event being written? Asks only now and then. */
static int is_over(struct order *o, struct stream *s, uint64_t now_ns)
{
    if (!o->is_over || now_ns - s->progress_ns < ASK_NS)
        return 0;
    s->progress_ns = now_ns;
    return o->is_over(o->context, s->process);
}

/* First look: is the stream between reading an event's time and committing it? The commit words are
 * read afterwards: if it is not, any later event has a later time than this moment. */
static void look_busy(struct order *o, struct stream *s, uint64_t now_ns)
{
    struct spool_progress p = read_progress(o, s);

    if (memcmp(&p, &s->progress, sizeof p) != 0) {
        s->progress = p;
        s->progress_ns = now_ns;
    }
    s->busy = p.busy && !is_over(o, s, now_ns);
    s->looked_at = s->chunk_count;
}

/* A look at a closed chunk says nothing: the stream may be busy in the next one. That one was
 * visible before the closing, so a scan after the look finds it; if there is none, the stream is
 * idle. */
static int must_look_again(const struct stream *s)
{
    return s && s->chunk_count != s->looked_at && (s->looked_at == 0 || s->progress.closed);
}

/* This stream's next event is unknown, but it is no earlier than the last event and, unless there
 * is a gap, than the last chunk. With neither, it is no earlier than what the previous look could
 * have missed. */
static void hold_back(struct order *o, const struct stream *s)
{
    uint64_t ticks = s->last_ticks;

    if (!stream_has_gap(s) && s->chunks[s->chunk_count - 1].opened.ticks > ticks)
        ticks = s->chunks[s->chunk_count - 1].opened.ticks;
    if (ticks == 0)
        ticks = o->limit_before;
    if (ticks < o->limit)
        o->limit = ticks;
}

int order_read_on(struct order *o, struct stream *s)
{
    int has_event;

    for (unsigned tries = 0; !(has_event = stream_advance(s, o->file)) && s->is_stale; tries++) {
        if (tries == LOOKS) {
            s->damaged = 1;
            break;
        }
        spool_file_refresh(o->file);
        spool_file_scan(o->file, chunk_found, o);
        stream_look_again(s, o->file);
    }
    o->damaged |= s->damaged;
    if (has_event)
        return 1;
    if (s->busy || (s->waits && stream_has_gap(s)))
        hold_back(o, s);
    return 0;
}

/* Second look: what is committed? */
static void look_committed(struct order *o, struct stream *s)
{
    if (s->current + 1 == s->chunk_count)
        s->committed = read_progress(o, s).bytes;
    if (!s->has_event && order_read_on(o, s))
        order_has_event(o, s);
}

/* ---- refreshing ---- */

static void look_busy_all(struct order *o)
{
    uint64_t now_ns = monotonic_ns();

    for (size_t i = 0; i < o->stream_count; i++)
        if (o->streams[i] && o->streams[i]->chunk_count)
            look_busy(o, o->streams[i], now_ns);
}

/* Looks again at streams that the scan showed to have gone on. Returns how many may have gone on
 * since. */
static size_t look_busy_again(struct order *o)
{
    uint64_t now_ns = monotonic_ns();
    size_t closed = 0;

    for (size_t i = 0; i < o->stream_count; i++) {
        struct stream *s = o->streams[i];
        if (!must_look_again(s))
            continue;
        look_busy(o, s, now_ns);
        closed += s->progress.closed != 0;
    }
    return closed;
}

/* A stream that fills chunks faster than we look for them counts as busy. */
static void take_for_busy(struct order *o)
{
    for (size_t i = 0; i < o->stream_count; i++)
        if (must_look_again(o->streams[i]))
            o->streams[i]->busy = 1;
}

static int has_gap(const struct order *o)
{
    for (size_t i = 0; i < o->stream_count; i++)
        if (o->streams[i] && stream_has_gap(o->streams[i]))
            return 1;
    return 0;
}

static void find_chunks(struct order *o)
{
    unsigned looks = 0;

    do {
        spool_file_refresh(o->file);
        spool_file_scan(o->file, chunk_found, o);
    } while (++looks < LOOKS && has_gap(o));
}

static void find_all(struct order *o)
{
    unsigned looks = 0;
    size_t closed;

    do {
        find_chunks(o);
        closed = look_busy_again(o);
    } while (closed && ++looks < LOOKS);
    if (!closed)
        return;
    find_chunks(o);
    take_for_busy(o);
}

void order_refresh(struct order *o, int live, uint64_t now, uint64_t slack)
{
    o->limit_before = o->limit;
    o->limit = live ? now - slack : UINT64_MAX;
    look_busy_all(o);
    find_all(o);
    for (size_t i = 0; i < o->stream_count; i++) {
        struct stream *s = o->streams[i];
        if (!s || !s->chunk_count)
            continue;
        s->busy &= live;
        s->waits = live;
        look_committed(o, s);
    }
}
