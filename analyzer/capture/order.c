/* order.c - the queue of streams: taking events in order, and waiting for others. */
#include "order.h"
#include "order_look.h"
#include "stream_read.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

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
    free(o->queue);
    free(o->waiting);
    free(o->unread);
    intmap_clear(&o->by_id);
    memset(o, 0, sizeof *o);
}

/* ---- the queue ---- */

static int is_before(const struct stream *a, const struct stream *b)
{
    if (a->event->ticks != b->event->ticks)
        return a->event->ticks < b->event->ticks;
    if (a->process != b->process)
        return a->process < b->process;
    return a->id < b->id; /* whichever was found first */
}

static void sift_down(struct order *o, size_t i)
{
    struct stream *moving = o->queue[i];

    for (size_t child; (child = 2 * i + 1) < o->queue_count; i = child) {
        if (child + 1 < o->queue_count && is_before(o->queue[child + 1], o->queue[child]))
            child++;
        if (is_before(moving, o->queue[child]))
            break;
        o->queue[i] = o->queue[child];
    }
    o->queue[i] = moving;
}

static void sift_up(struct order *o, size_t i)
{
    struct stream *moving = o->queue[i];

    for (; i > 0 && is_before(moving, o->queue[(i - 1) / 2]); i = (i - 1) / 2)
        o->queue[i] = o->queue[(i - 1) / 2];
    o->queue[i] = moving;
}

static void enqueue(struct order *o, struct stream *s)
{
    o->until = 0; /* its turn may have come */
    o->queue = xgrow(o->queue, &o->queue_capacity, o->queue_count + 1, sizeof *o->queue);
    o->queue[o->queue_count] = s;
    sift_up(o, o->queue_count++);
}

static void dequeue(struct order *o, size_t i)
{
    struct stream *last = o->queue[--o->queue_count];

    if (i == o->queue_count)
        return;
    o->queue[i] = last;
    sift_down(o, i);
    if (o->queue[i] == last) /* it may belong further up instead */
        sift_up(o, i);
}

void order_has_event(struct order *o, struct stream *s)
{
    o->unread = xgrow(o->unread, &o->process_capacity, (size_t)s->process + 1, sizeof *o->unread);
    o->unread[s->process]++;
    enqueue(o, s);
}

/* ---- taking ---- */

/* After queue[i]'s event was taken: moves its stream on to the next one, or out of the queue. */
static void advance(struct order *o, size_t i)
{
    struct stream *s = o->queue[i];

    if (order_read_on(o, s)) {
        sift_down(o, i);
        return;
    }
    o->unread[s->process]--;
    dequeue(o, i);
}

/* The taken stream's place in the queue; another may have joined in front of it. */
static size_t place_of_taken(const struct order *o)
{
    size_t i = 0;

    while (o->queue[i] != o->taken)
        i++;
    return i;
}

/* Until when the stream's event waits; at most the end of all time. */
static uint64_t deadline(const struct order *o, const struct stream *s)
{
    uint64_t ticks = s->event->ticks + o->patience;
    return ticks < s->event->ticks ? UINT64_MAX : ticks;
}

static struct stream *first_to_lose_patience(const struct order *o)
{
    struct stream *first = NULL;

    for (size_t i = 0; i < o->waiting_count; i++)
        if (!first || is_before(o->waiting[i], first))
            first = o->waiting[i];
    return first;
}

/* Until when queue[0] may go on. */
static uint64_t turn_of_next(const struct order *o)
{
    uint64_t until = o->limit < UINT64_MAX ? o->limit + 1 : UINT64_MAX;
    const struct stream *waiting = first_to_lose_patience(o);

    for (size_t i = 1; i < o->queue_count && i <= 2; i++)
        if (o->queue[i]->event->ticks < until)
            until = o->queue[i]->event->ticks;
    if (waiting && deadline(o, waiting) < until)
        until = deadline(o, waiting);
    return until;
}

static void stop_waiting(struct order *o, struct stream *s)
{
    for (size_t i = 0; i < o->waiting_count; i++)
        if (o->waiting[i] == s) {
            o->waiting[i] = o->waiting[--o->waiting_count];
            break;
        }
    o->has_waited = 1; /* its events are earlier than those of streams that did not wait */
    enqueue(o, s);
}

/* Lets those go on for which nothing more can come in time. */
static void end_patience(struct order *o)
{
    struct stream *s;

    while (o->waiting_count && (s = first_to_lose_patience(o)) != NULL) {
        uint64_t next = o->queue_count ? o->queue[0]->event->ticks : UINT64_MAX;
        if ((next < o->limit ? next : o->limit) < deadline(o, s))
            return;
        s->gave_up_at = s->event->ticks;
        stop_waiting(o, s);
    }
}

struct stream *order_next_slow(struct order *o)
{
    if (o->taken) {
        size_t i = place_of_taken(o);
        o->given = o->taken->event->ticks;
        o->taken = NULL;
        advance(o, i);
    }
    if (__builtin_expect(o->waiting_count > 0, 0))
        end_patience(o);
    if (o->queue_count == 0 || o->queue[0]->event->ticks > o->limit)
        return NULL;
    o->until = turn_of_next(o);
    o->late += o->queue[0]->event->ticks < o->given && !o->has_waited;
    o->has_waited &= o->queue[0]->event->ticks < o->given;
    return o->taken = o->queue[0];
}

/* ---- waiting ---- */

static int has_other_stream(const struct order *o, const struct stream *s)
{
    for (size_t i = 0; i < o->stream_count; i++)
        if (o->streams[i] && o->streams[i] != s && o->streams[i]->process == s->process)
            return 1;
    return 0;
}

int order_wait(struct order *o, uint64_t address)
{
    struct stream *s = o->taken;

    if (s->gave_up_at == s->event->ticks || !has_other_stream(o, s))
        return 0;
    dequeue(o, place_of_taken(o));
    o->taken = NULL;
    o->waiting = xgrow(o->waiting, &o->waiting_capacity, o->waiting_count + 1, sizeof *o->waiting);
    o->waiting[o->waiting_count++] = s;
    s->wait_address = address;
    return 1;
}

void order_wake_slow(struct order *o, uint32_t process, uint64_t address)
{
    for (size_t i = 0; i < o->waiting_count;) {
        struct stream *s = o->waiting[i];
        if (s->process == process && s->wait_address == address)
            stop_waiting(o, s); /* now another one is at i */
        else
            i++;
    }
}

/* ---- the end of a process ---- */

void order_release(struct order *o, uint32_t process,
                   void (*release)(void *context, struct stream *s), void *context)
{
    for (size_t i = 0; i < o->stream_count; i++) {
        struct stream *s = o->streams[i];
        if (!s || s->process != process)
            continue;
        release(context, s);
        stream_free(s);
        o->streams[i] = NULL;
    }
}
