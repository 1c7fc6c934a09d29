/* chunk.c - opening and closing chunks, and counting what is lost. */
#include "chunk.h"
#include "init.h"
#include "sys.h"

#include <string.h>

#ifndef WINDOWS_FROM              /* tests/schedules gets to windows sooner */
#define WINDOWS_FROM (256u << 10) /* carved by a process in chunks that are mapped on their own */
#define DEEP_PART    4 /* a chunk is this many times as large as the deep stack that begins it */
#endif
#define RETRY_NS 100000000u

static uint64_t carved_alone; /* bytes of this process's chunks that are mapped on their own */

void spool_after_fork(void)
{
    spool_forget_room();
    carved_alone = 0;
    window_after_fork();
}

/* ---- chunks ---- */

void chunk_forget(struct stream *s)
{
    if (s->chunk && !s->slot.window) /* windows are gone already */
        sys_unmap(s->chunk, (size_t)(s->end - (uint8_t *)s->chunk));
    memset(s, 0, sizeof *s);
}

static void detach(void *pages, const uint8_t *end)
{
    if (pages)
        sys_pages_at(pages, (size_t)(end - (uint8_t *)pages));
}

/* Where the event finds no room in what is left, it goes to a stream of the child's own. */
void chunk_detach(struct stream *s)
{
    s->slot.window = NULL;
    s->serial_plus_1 = 0;
    if (!s->chunk && !s->opening)
        memset(s, 0, sizeof *s);
    detach(s->chunk, s->end);
    detach(s->opening, s->opening_end);
}

/* A stream's place in the file: what chunk_close lets go of. */
struct place {
    struct spool_chunk *chunk;
    struct slot slot;
    uint8_t *end;
};

static struct place place_of(const struct stream *s)
{
    return (struct place){s->chunk, s->slot, s->end};
}

static void place_close(struct place *p)
{
    struct spool_chunk *c = p->chunk;
    if (!c)
        return;
    if (p->slot.window && slot_is_retired(&p->slot))
        c->flags &= ~(uint32_t)SPOOL_CHUNK_SLOT;
    POINT("closing");
    /* In this order: a chunk that is neither busy nor closed means that its stream is idle. */
    __atomic_store_n(&c->closed, SPOOL_CHUNK_CLOSED, __ATOMIC_RELEASE);
    POINT("closed");
    __atomic_store_n(&c->busy, 0, __ATOMIC_RELEASE);
    if (p->slot.window)
        slot_leave(&p->slot);
    else
        sys_unmap(c, (size_t)(p->end - (uint8_t *)c));
}

/* Forgets first, then unmaps: a handler that interrupts this may jump away and never return. */
static void chunk_close(struct stream *s)
{
    struct place left = place_of(s);
    s->committed = s->limit = NULL;
    __atomic_store_n(&s->chunk, NULL, __ATOMIC_RELEASE);
    s->end = NULL;
    s->slot.window = NULL;
    place_close(&left);
}

/* ---- opening ---- */

/* Finds pages for a chunk of at least `need` bytes: in a window, once the process has filled enough
 * to make one worth while, else on their own. Short-lived processes and threads stay small. */
static int find_place(const struct stream *s, size_t need, struct place *place, size_t *ready)
{
    size_t bytes = s->next_bytes ? s->next_bytes : SPOOL_CHUNK_MIN;
    uint64_t offset;
    place->slot.window = NULL;
    place->chunk = NULL;
    if ((bytes == SLOT_BYTES || bytes == SLOT_BYTES_LARGE) && need <= SLOT_BYTES / DEEP_PART &&
        __atomic_load_n(&carved_alone, __ATOMIC_RELAXED) >= WINDOWS_FROM)
        place->chunk = slot_take(bytes == SLOT_BYTES ? SLOT_SMALL : SLOT_LARGE, &place->slot);
    *ready = bytes;
    if (!place->chunk) {
        while (bytes < (need > SLOT_BYTES / DEEP_PART ? need * DEEP_PART : need))
            bytes *= 2;
        struct spool_chunk *c = (struct spool_chunk *)spool_pages(bytes, need, ready, &offset);
        if (!c)
            return 0;
        c->offset = offset;
        c->bytes = bytes;
        memcpy(c->id8, spool.header->id, sizeof c->id8);
        __atomic_fetch_add(&carved_alone, bytes, __ATOMIC_RELAXED);
        place->chunk = c;
    }
    place->end = (uint8_t *)place->chunk + bytes;
    return 1;
}

/* Writes the header, all but what makes the chunk visible. */
static void lay_out_chunk(struct stream *s, struct spool_chunk *c, uint32_t process, int in_slot)
{
    c->sequence = s->opening_sequence;
    c->process = process;
    c->stream = s->serial_plus_1 - 1;
    c->index = s->opening_index;
    c->flags = in_slot ? SPOOL_CHUNK_SLOT : 0;
    c->opened = init_now();
    c->commit = (uint64_t)c->sequence << 32;
    c->busy = 1;
}

/* From here on everybody sees the chunk. */
static void show(struct stream *s, struct spool_chunk *c, enum spool_chunk_state state)
{
    POINT("laid out");
    __atomic_store_n(&c->closed, state, __ATOMIC_RELEASE);
    POINT("opened");
    __atomic_store_n(&c->mark, SPOOL_CHUNK_MARK, __ATOMIC_RELEASE);
    POINT("marked");
    s->next_index = s->opening_index + 1;
}

/* A handler has jumped out of chunk_open. The next chunk may or may not have been seen: it becomes
 * an empty one, or its number would be missing from the stream for ever. */
static void show_what_was_opening(struct stream *s)
{
    struct spool_chunk *c = s->opening;
    s->opening = NULL;
    if (!c || c == s->chunk)
        return;
    lay_out_chunk(s, c, spool.process_serial, 0);
    c->busy = 0;
    show(s, c, SPOOL_CHUNK_CLOSED);
}

void chunk_abandon(struct stream *s)
{
    struct sys_held held = sys_hold_signals();
    show_what_was_opening(s);
    chunk_close(s);
    s->next_bytes = SPOOL_CHUNK_MIN;
    sys_release_signals(held);
}

/* Moves the stream into the chunk at `place`, which can be seen by now. */
static void chunk_open_at(struct stream *s, const struct place *place, size_t ready)
{
    uint32_t unseen = s->chunk ? 0 : STREAM_UNSEEN;
    struct spool_chunk *c = place->chunk;
    size_t bytes = (size_t)(place->end - (uint8_t *)c);
    s->committed = s->limit = NULL;
    __atomic_store_n(&s->chunk, NULL, __ATOMIC_RELEASE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST); /* see chunk_close: a handler may jump away */
    s->end = place->end;
    s->sequence = c->sequence;
    s->slot = place->slot;
    __atomic_store_n(&s->chunk, c, __ATOMIC_RELEASE); /* from here on chunk_close unmaps it */
    s->committed = (uint8_t *)(c + 1);
    s->limit = (uint8_t *)c + ready;
    s->delta = (struct spool_delta){c->opened.ticks, 0};
    s->next_bytes = bytes < SLOT_BYTES ? (uint32_t)bytes * 4 : SLOT_BYTES;
    s->fresh = STREAM_NEW_CHUNK | unseen;
    s->depth = 0;
    s->opening = NULL;
}

/* A stream without a number is a new one. */
static void begin_stream(struct stream *s)
{
    if (s->serial_plus_1)
        return;
    s->serial_plus_1 = __atomic_add_fetch(&spool.control->stream_count, 1, __ATOMIC_RELAXED);
    s->next_index = 0;
}

static int chunk_open(struct stream *s, size_t need)
{
    uint32_t process = spool.process_serial;
    struct place place, old = place_of(s);
    size_t ready;
    if (!find_place(s, need + sizeof(struct spool_chunk), &place, &ready))
        return 0;
    POINT("placed");
    begin_stream(s);
    s->opening_end = place.end;
    s->opening_sequence = place.chunk->sequence + 1;
    s->opening_index = s->next_index;
    __atomic_store_n(&s->opening, place.chunk, __ATOMIC_RELEASE);
    /* A handler has forked, so this chunk is the parent's. So is the event that needed it: that
     * goes where nobody looks, like all that the stream was left with (chunk_detach). */
    if (process != spool.process_serial)
        detach(place.chunk, place.end);
    lay_out_chunk(s, place.chunk, process, place.slot.window != NULL);
    show(s, place.chunk, SPOOL_CHUNK_OPEN);
    chunk_open_at(s, &place, ready);
    place_close(&old);
    s->shown = init_ticks();
    return 1;
}

/* Signals are held back: a handler that forks or jumps away would leave two owners of a place, or
 * none. The code above copes with most of that where the program has forbidden us this call. In a
 * child that records nothing a hook may come here that was interrupted by the fork. */
static int chunk_open_held(struct stream *s, size_t need)
{
    if (recorder_state != RECORDER_ON)
        return 0;
    struct sys_held held = sys_hold_signals();
    int is_open = chunk_open(s, need);
    sys_release_signals(held);
    return is_open;
}

/* Populates more pages of the chunk. */
static int chunk_extend(struct stream *s)
{
    uint8_t *from = s->limit - (uintptr_t)s->limit % SPOOL_PAGE; /* see chunk_reserve */
    size_t more = (size_t)(s->end - from);
    if (more > SPOOL_POPULATE_STEP)
        more = SPOOL_POPULATE_STEP;
    if (spool_populate(from, s->chunk->offset + (uint64_t)(from - (uint8_t *)s->chunk), more) < 0)
        return 0;
    s->limit = from + more;
    return 1;
}

int chunk_reserve(struct stream *s, size_t bytes, size_t in_new)
{
    if (chunk_has_room(s, bytes))
        return 1;
    if (init_ticks() < s->retry)
        return 0;
    if (chunk_reaches(s, bytes)) {
        while ((size_t)(s->limit - s->committed) < bytes && chunk_extend(s))
            ;
        if ((size_t)(s->limit - s->committed) >= bytes)
            return 1;
    } else if (chunk_open_held(s, in_new)) {
        return 1;
    }
    /* Until then nothing goes here, or a small free would be recorded whose allocation was lost. */
    s->limit = s->committed;
    s->retry = init_ticks() + RETRY_NS;
    return 0;
}

/* ---- losing ---- */

static void count(uint64_t *counter, uint64_t more)
{
    __atomic_fetch_add(counter, more, __ATOMIC_RELAXED);
}

void spool_lost(enum spool_kind kind, uint64_t bytes)
{
    struct spool_process *p = spool.process;
    uint64_t never = 0;
    if (!p)
        return;
    __atomic_compare_exchange_n(&p->lost_since, &never, init_ticks(), 0, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    switch (kind) {
    case SPOOL_REALLOC_MOVED:
        count(&p->lost_frees, 1); /* fallthrough */
    case SPOOL_ALLOC:
        count(&p->lost_bytes, bytes);
        count(&p->lost_allocations, 1);
        break;
    case SPOOL_FREE:
    case SPOOL_REALLOC_FREED:
        count(&p->lost_frees, 1);
        break;
    case SPOOL_RANGE_MAP:
        count(&p->lost_maps, 1);
        count(&p->lost_mapped_bytes, bytes); /* fallthrough */
    default:
        count(&p->lost_other, 1);
        break;
    }
}

void spool_unplaced(void)
{
    spool.process = (struct spool_process *)((uint8_t *)spool.control + SPOOL_UNPLACED_OFFSET);
    __atomic_fetch_add(&spool.control->unplaced_processes, 1, __ATOMIC_RELAXED);
}
