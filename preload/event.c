/* event.c - events that are not usual: a new chunk, a stack that was not known, a payload. */
#include "event.h"
#include "sys.h"

#include <string.h>
#include <sys/prctl.h>

/* Of a chunk that shows so many stacks, large ones are better: what they show, they show less
 * often. */
#ifndef MANY_NUMBERS /* tests/schedules has small ones */
#define MANY_NUMBERS 2048
#endif

static uint8_t *put_frames(uint8_t *p, const struct memo_frame *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        p += spool_put_frame(p, f[i].id, f[i].pc);
    return p;
}

void event_read_name(char *name)
{
    memset(name, 0, THREAD_NAME);
    if (sys_may(SYS_KIND_SELF))
        SYS_CALL(SYS_prctl, PR_GET_NAME, name, 0, 0, 0, 0);
}

/* Writes THREAD at the start of a chunk, or where a stream changes hands. There is room. */
static __attribute__((noinline)) void put_thread(struct thread *t, uint64_t ticks)
{
    struct stream *s = &t->stream;
    if (s->fresh & STREAM_NEW_CHUNK && walk_new_chunk(&t->memo) >= MANY_NUMBERS)
        chunk_wants_large(s);
    event_read_name(t->name);
    struct spool_event e = {.kind = SPOOL_THREAD,
                            .ticks = ticks,
                            .address = (uint64_t)t->serial << 32 | t->tid,
                            .size = strnlen(t->name, THREAD_NAME)};
    struct spool_delta delta = s->delta;
    uint8_t *p = s->committed;
    p += spool_encode(p, &delta, &e);
    memcpy(p, t->name, e.size);
    chunk_commit(s, p + e.size);
    s->delta = delta;
    s->fresh = 0;
}

#define THREAD_BYTES (SPOOL_HEAD_MAX + THREAD_NAME + EVENT_SLACK)

void event_thread(struct thread *t)
{
    struct stream *s = &t->stream;
    if (!s->chunk)
        return; /* its first chunk will begin with THREAD */
    chunk_busy(s);
    if (!chunk_reserve(s, THREAD_BYTES, THREAD_BYTES))
        s->fresh |= STREAM_NEW_OWNER; /* written before the next event that finds room */
    else
        put_thread(t, init_ticks());
    chunk_idle(s);
}

/* What make_room has found. */
enum room { ROOM_NONE, ROOM_MADE, ROOM_IN_CHILD };

/* Makes room for an event of `push` frames (`all`: those of the whole stack) and `more` bytes. A
 * new chunk starts with THREAD. ROOM_NONE: the event is lost. If the stream had no chunk, nobody
 * could see that it was busy, so the time is one at which the chunk could be seen. It was read
 * before a handler could fork: the event comes before that FORK. Where a handler has forked
 * already, the parent's new chunk, and with it the event, comes behind that: ROOM_IN_CHILD. */
static inline enum room make_room(struct thread *t, uint32_t push, uint32_t all, size_t more,
                                  uint64_t *ticks)
{
    struct stream *s = &t->stream;
    size_t bytes = SPOOL_HEAD_MAX + EVENT_SLACK + more;
    size_t in_new = bytes + (size_t)all * SPOOL_FRAME_MAX + THREAD_BYTES;
    bytes += (size_t)push * SPOOL_FRAME_MAX;
    if (!chunk_has_room(s, bytes)) {
        if (thread_is_left(t) && !chunk_reaches(s, bytes))
            return ROOM_IN_CHILD;
        if (!chunk_reserve(s, bytes, in_new))
            return ROOM_NONE;
    }
    if (__builtin_expect(s->fresh, 0)) { /* the chunk is new, or has changed hands */
        if (!chunk_reserve(s, in_new, in_new))
            return ROOM_NONE;
        if (s->fresh & STREAM_UNSEEN && s->shown > *ticks)
            *ticks = s->shown;
        put_thread(t, *ticks);
    }
    return ROOM_MADE;
}

/* The longest part of the stack that the chunk has shown before becomes the event's base; the rest
 * is pushed: returns the first frame of that. keep: frames that are on the decoder's stack, too, at
 * most `same`: those that are as the last walk left them, with their numbers. */
static inline uint32_t choose_base(struct memo *m, uint32_t same, uint32_t keep, uint32_t depth,
                                   struct spool_event *e)
{
    uint32_t from = m->numbered == m->first_number ? same : 0;
    uint32_t first = from < m->count ? walk_find_numbers(m, from) : from;
    e->has_stack = 1;
    e->from_node = first > keep;
    e->base = first > keep ? memo_frames(m)[first - 1].number - m->first_number : depth - keep;
    e->push = m->count - first;
    return first;
}

enum spool_kind event_kind_lost(const struct spool_event *e)
{
    int is_other = e->kind == SPOOL_RANGE_MAP ? spool_range_call(e->extra) == SPOOL_RANGE_PROTECT
                                              : e->kind == SPOOL_ALLOC && e->address == 0;
    return is_other ? SPOOL_NOTHING : e->kind;
}

/* ---- the walk's way ---- */

/* Is the stack that the memo had before the walk the decoder's? */
static inline int is_told(const struct thread *t, const struct walk *w)
{
    return t->memo.shown == NULL && w->before == t->stream.depth;
}

/* A stack that comes back is worth remembering. One that is known has got its number of this
 * chunk. keep: as in struct walk. */
static inline void remember(struct memo *m, struct registers caller, struct walk_cache_stack *known,
                            uint32_t keep)
{
    if (known)
        known->number = memo_frames(m)[m->count - 1].number;
    else if (m->count && walk_cache_has_seen(m, caller))
        walk_cache_add(m, caller, keep);
}

/* With the self-check what was known must be what was walked. */
static inline void check_known(const struct thread *t, struct registers caller,
                               const struct walk_cache_stack *known)
{
    if (__builtin_expect(selfcheck_every != 0, 0) && known &&
        !walk_cache_agrees(&t->memo, caller.sp, known))
        selfcheck_differs();
}

/* ---- the whole ---- */

static void lose(struct spool_event *e)
{
    spool_lost(event_kind_lost(e), e->size);
    e->kind = SPOOL_NOTHING;
}

static __attribute__((noinline)) void
record_in_child(struct registers caller, struct spool_event *e, int walked, const void *payload)
{
    struct thread *t = thread_enter_in_child(caller);
    if (!t) {
        lose(e);
        return;
    }
    event_record(t, caller, e, walked, payload);
    thread_leave(t);
}

__attribute__((noinline)) void event_go_on(struct thread *t, struct registers caller,
                                           struct spool_event *e, int walked,
                                           struct walk_cache_stack *known, const void *payload)
{
    if (thread_left_before(t, e->ticks)) {
        record_in_child(caller, e, walked, payload);
        return;
    }
    struct stream *s = &t->stream;
    struct memo *m = &t->memo;
    struct walk w = {0, 0, 0};
    if (walked) {
        w = walk_stack(m, caller.pc, caller.sp, caller.fp);
        check_known(t, caller, known);
    }
    uint32_t push = is_told(t, &w) ? w.push : m->count;
    enum room room = make_room(t, walked ? push : 0, m->count, payload ? e->size : 0, &e->ticks);
    if (__builtin_expect(room == ROOM_IN_CHILD, 0)) {
        record_in_child(caller, e, walked, payload);
        return;
    }
    if (__builtin_expect(room == ROOM_NONE, 0)) {
        chunk_idle(s);
        walk_forget(m); /* the decoder does not know this stack */
        lose(e);
        return;
    }
    uint8_t *p = s->committed;
    struct spool_delta delta = s->delta;
    uint32_t depth = s->depth;
    if (walked) {
        uint32_t first = choose_base(m, w.keep, is_told(t, &w) ? w.keep : 0, depth, e);
        depth = m->count;
        p += spool_put_event(p, &delta, e);
        if (e->push) {
            walk_give_numbers(m, first);
            p = put_frames(p, memo_frames(m) + first, e->push);
        }
    } else {
        p += spool_put_event(p, &delta, e);
    }
    if (payload) {
        memcpy(p, payload, e->size);
        p += e->size;
    }
    chunk_commit(s, p);
    __atomic_store_n(&s->chunk->busy, 0, __ATOMIC_RELEASE);
    s->delta = delta;
    s->depth = depth;
    if (walked) {
        m->shown = NULL;
        m->numbered = m->first_number;
        remember(m, caller, known, w.keep);
        selfcheck(t, caller);
    }
}

void event_record(struct thread *t, struct registers caller, struct spool_event *e, int walked,
                  const void *payload)
{
    e->ticks = event_begin(t, e->kind);
    event_go_on(t, caller, e, walked, walked ? event_find(t, caller) : NULL, payload);
}
