/* stream_read.c - reads a stream chunk by chunk, event by event. */
#include "stream_read.h"
#include "spool_decode.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_BYTES (64u << 10)
#define AHEAD_BYTES  (16u << 10)

int stream_add_chunk(struct stream *s, struct chunk_place place, int is_copy)
{
    size_t at = s->chunk_count;

    while (at > 0 && s->chunks[at - 1].index > place.index)
        at--;
    if (at > 0 && s->chunks[at - 1].index == place.index) {
        if (is_copy && at > s->moved)
            s->chunks[at - 1] = place;
        return is_copy;
    }
    if (at < s->current || (at == s->current && (s->consumed || s->has_event)))
        return 0; /* too late */
    s->chunks = xgrow(s->chunks, &s->chunk_capacity, s->chunk_count + 1, sizeof *s->chunks);
    memmove(s->chunks + at + 1, s->chunks + at, (s->chunk_count - at) * sizeof *s->chunks);
    s->chunks[at] = place;
    s->chunk_count++;
    return 1;
}

/* Has nothing of the stream been read yet? */
static int is_unread(const struct stream *s)
{
    return s->current == 0 && s->consumed == 0 && !s->has_event;
}

int stream_has_gap(const struct stream *s)
{
    if (s->chunk_count == 0)
        return 0;
    if (is_unread(s) && s->chunks[0].index != 0)
        return 1;
    return s->current + 1 < s->chunk_count &&
           s->chunks[s->current + 1].index != s->chunks[s->current].index + 1;
}

/* Is there a gap that may still be filled? One that never will be costs the missing events. */
static int is_held_by_gap(struct stream *s)
{
    if (!stream_has_gap(s))
        return 0;
    s->damaged |= !s->waits;
    return s->waits;
}

static uint64_t events_at(const struct stream *s)
{
    return s->chunks[s->current].offset + sizeof(struct spool_chunk);
}

static struct spool_progress look_at_progress(struct stream *s, const struct spool_file *file)
{
    const struct chunk_place *chunk = &s->chunks[s->current];
    struct spool_progress p =
        spool_file_progress(file, chunk->offset, chunk->bytes, chunk->sequence);

    s->is_stale |= p.is_other;
    return p;
}

void stream_look_again(struct stream *s, const struct spool_file *file)
{
    s->is_stale = s->spoiled = 0;
    s->window_start = s->window_bytes = 0;
    s->committed = look_at_progress(s, file).bytes;
}

/* Reads more event bytes from s->consumed on than the window holds; 0 where there are none. */
static int widen_window(struct stream *s, const struct spool_file *file)
{
    uint64_t rest = s->committed - s->consumed;
    uint64_t have = s->window_start + s->window_bytes;
    uint64_t wanted = WINDOW_BYTES;

    have = have > s->consumed && s->window_start <= s->consumed ? have - s->consumed : 0;
    if (have >= rest)
        return 0; /* there is nothing more */
    while (wanted <= have)
        wanted *= 2;
    if (wanted > rest)
        wanted = rest;
    if (wanted > s->window_capacity) {
        free(s->window);
        s->window = xmalloc(wanted);
        s->window_capacity = wanted;
    }
    s->window_start = s->consumed;
    s->window_bytes = spool_file_read(file, events_at(s) + s->consumed, s->window, wanted);
    if (look_at_progress(s, file).is_other) { /* what was read may be another chunk's */
        s->window_bytes = 0;
        return 0;
    }
    return s->window_bytes > have;
}

/* Decodes events from s->consumed on; 0 where there is no whole valid one. */
static int fill_batch(struct stream *s, const struct spool_file *file)
{
    struct stream_batch *batch = s->batch;
    struct spool_delta delta = s->delta;
    unsigned version = file->header.version;

    do {
        uint64_t from = s->consumed - s->window_start;
        if (s->consumed < s->window_start || from >= s->window_bytes)
            continue;
        const uint8_t *p = s->window + from, *end = s->window + s->window_bytes;
        for (s->count = 0; s->count < STREAM_BATCH; s->count++) {
            struct spool_event *e = &batch->events[s->count];
            size_t bytes = spool_decode_next(p, end, version, &delta, e);
            if (bytes == 0)
                break;
            s->delta = delta;
            p += bytes;
            batch->ends[s->count] = s->window_start + (uint64_t)(p - s->window);
            if (e->ticks < s->last_ticks)
                e->ticks = s->last_ticks;
            s->last_ticks = e->ticks;
        }
        if (s->count > 0)
            return 1;
        delta = s->delta;
    } while (widen_window(s, file));
    return 0;
}

uint64_t stream_bytes(const struct stream *s, int with_present)
{
    if (!s->has_event || (s->at == 0 && !with_present))
        return s->consumed;
    return s->batch->ends[with_present ? s->at : s->at - 1];
}

static void drop_window(struct stream *s)
{
    free(s->window);
    free(s->batch);
    s->window = NULL;
    s->batch = NULL;
    s->window_start = s->window_bytes = s->window_capacity = 0;
}

static void begin_chunk(struct stream *s, const struct spool_file *file)
{
    const struct chunk_place *chunk = &s->chunks[s->current];

    s->committed = look_at_progress(s, file).bytes;
    s->looked_again = s->current + 1 < s->chunk_count;
    s->consumed = 0;
    s->spoiled = 0;
    s->window_start = s->window_bytes = 0;
    s->delta = (struct spool_delta){.ticks = chunk->opened.ticks};
}

/* Goes to the chunk after the present one; 0 where there is none. */
static int next_chunk(struct stream *s, const struct spool_file *file)
{
    if (s->current + 1 >= s->chunk_count || s->is_stale || is_held_by_gap(s))
        return 0;
    if (!s->looked_again) { /* its last events came just before the next chunk */
        s->committed = look_at_progress(s, file).bytes;
        s->looked_again = 1;
        return 1;
    }
    s->current++;
    begin_chunk(s, file);
    return 1;
}

int stream_advance(struct stream *s, const struct spool_file *file)
{
    if (s->has_event && s->at + 1 < s->count) {
        s->at++;
        s->event++;
        return 1;
    }
    if (is_unread(s)) {
        if (is_held_by_gap(s))
            return 0;
        begin_chunk(s, file);
    }
    if (s->has_event)
        s->consumed = s->batch->ends[s->count - 1];
    s->has_event = 0;
    s->at = s->count = 0;
    if (!s->batch)
        s->batch = xmalloc(sizeof *s->batch);
    do {
        if (s->consumed >= s->committed || s->spoiled)
            continue;
        if (!fill_batch(s, file)) {
            s->spoiled = 1;
            s->damaged |= !s->is_stale;
            continue;
        }
        s->event = s->batch->events;
        s->has_event = 1;
        return 1;
    } while (next_chunk(s, file));
    drop_window(s);
    return 0;
}
