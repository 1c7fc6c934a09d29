/* record.c - walk, encode, commit. */
#include "record.h"
#include "cramped.h"
#include "given.h"
#include "init.h"
#include "life.h"
#include "loaded.h"
#include "sample.h"
#include "selfcheck.h"
#include "spool_put.h"
#include "start_facts.h"
#include "sys.h"

#include <string.h>
#include <sys/prctl.h>

#define SLACK 8 /* the encoder writes whole words */

/* ---- encoding ---- */

static uint8_t *put_frames(uint8_t *p, const struct memo_frame *f, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        p += spool_put_frame(p, f[i].id, f[i].pc);
    return p;
}

static void read_name(char *name)
{
    memset(name, 0, THREAD_NAME);
    if (sys_may(SYS_KIND_SELF))
        SYS_CALL(SYS_prctl, PR_GET_NAME, name, 0, 0, 0, 0);
}

/* Writes THREAD at the start of a chunk, or where a stream changes hands. There is room. */
static __attribute__((noinline)) void put_thread(struct thread *t, uint64_t ticks)
{
    struct stream *s = &t->stream;
    if (s->fresh & STREAM_NEW_CHUNK)
        walk_new_chunk(&t->memo);
    read_name(t->name);
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

#define THREAD_BYTES (SPOOL_HEAD_MAX + THREAD_NAME + SLACK)

void record_thread(struct thread *t)
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

/* Makes room for an event of `push` frames (`all`: those of the whole stack) and `more` bytes. A
 * new chunk starts with THREAD. Returns 0 where there is no room: the event is lost. If the stream
 * had no chunk, nobody could see that it was busy, so the time is one at which the chunk could be
 * seen. It was read before a handler could fork: the event comes before that FORK. */
static inline int make_room(struct thread *t, uint32_t push, uint32_t all, size_t more,
                            uint64_t *ticks)
{
    struct stream *s = &t->stream;
    size_t bytes = SPOOL_HEAD_MAX + SLACK + more;
    size_t in_new = bytes + (size_t)all * SPOOL_FRAME_MAX + THREAD_BYTES;
    bytes += (size_t)push * SPOOL_FRAME_MAX;
    if (!chunk_has_room(s, bytes) && !chunk_reserve(s, bytes, in_new))
        return 0;
    if (__builtin_expect(s->fresh, 0)) { /* the chunk is new, or has changed hands */
        if (!chunk_reserve(s, in_new, in_new))
            return 0;
        if (s->fresh & STREAM_UNSEEN && s->shown > *ticks)
            *ticks = s->shown;
        put_thread(t, *ticks);
    }
    return 1;
}

/* The longest part of the stack that the chunk has shown before becomes the event's base; the rest
 * is pushed: returns the first frame of that. keep: frames that are on the decoder's stack, too. */
static inline uint32_t choose_base(struct memo *m, uint32_t keep, uint32_t depth,
                                   struct spool_event *e)
{
    uint32_t first = keep < m->count ? walk_find_numbers(m, keep) : keep;
    e->has_stack = 1;
    e->from_node = first > keep;
    e->base = first > keep ? memo_frames(m)[first - 1].number - m->first_number : depth - keep;
    e->push = m->count - first;
    return first;
}

/* Is it about memory that another thread may have released just now? */
static inline int acquires(enum spool_kind kind)
{
    return kind == SPOOL_ALLOC || kind == SPOOL_REALLOC_MOVED || kind == SPOOL_RANGE_MAP;
}

/* As what a lost event counts: neither a failed allocation nor a change of protection is an
 * allocation or a mapping that was lost. */
static inline enum spool_kind kind_lost(const struct spool_event *e)
{
    int is_other = e->kind == SPOOL_RANGE_MAP ? spool_range_call(e->extra) == SPOOL_RANGE_PROTECT
                                              : e->kind == SPOOL_ALLOC && e->address == 0;
    return is_other ? SPOOL_NOTHING : e->kind;
}

/* The only way for an event into the spool. walked: with the stack of `caller`. */
static inline __attribute__((always_inline)) void record(struct thread *t, struct registers caller,
                                                         struct spool_event *e, int walked,
                                                         const void *payload)
{
    struct stream *s = &t->stream;
    struct memo *m = &t->memo;
    chunk_busy(s);
    POINT("busy");
    e->ticks = acquires(e->kind) ? init_ticks_after() : init_ticks();
    POINT("timed");
    struct walk w = {0, 0, 0};
    if (walked)
        w = walk_stack(m, caller.pc, caller.sp, caller.fp);
    uint32_t push = w.before == s->depth ? w.push : m->count;
    if (__builtin_expect(
            !make_room(t, walked ? push : 0, m->count, payload ? e->size : 0, &e->ticks), 0)) {
        chunk_idle(s);
        walk_forget(m); /* the decoder does not know this stack */
        spool_lost(kind_lost(e), e->size);
        return;
    }
    uint8_t *p = s->committed;
    struct spool_delta delta = s->delta;
    uint32_t depth = s->depth;
    if (walked) {
        uint32_t first = choose_base(m, w.before == depth ? w.keep : 0, depth, e);
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
    if (walked)
        selfcheck(t, caller);
}

/* ---- the hooks' side ---- */

/* Enters, records, leaves. */
static inline __attribute__((always_inline)) void simple(const struct arch_frame *frame,
                                                         struct spool_event *e, int walked)
{
    if (!recorder_ready()) {
        if (recorder_state == RECORDER_COUNTING)
            spool_lost(kind_lost(e), e->size);
        return;
    }
    struct registers caller = arch_registers(frame);
    loaded_notice(caller.pc);
    struct thread *t = thread_enter(caller);
    if (__builtin_expect(!t, 0)) {
        spool_lost(kind_lost(e), e->size);
        return;
    }
    record(t, caller, e, walked, NULL);
    thread_leave(t);
    sample_if_due(e->ticks);
}

/* An event as a hook passes it on. */
struct job {
    const struct arch_frame *frame;
    uint64_t address, size, extra;
    enum spool_kind kind;
    int walked;
    const void *payload;
    uint64_t ticks; /* its time in the stream, once it is recorded */
};

static void do_simple(void *argument)
{
    const struct job *job = argument;
    struct spool_event e = {
        .kind = job->kind, .address = job->address, .size = job->size, .extra = job->extra};
    simple(job->frame, &e, job->walked);
}

/* Also comes here where nothing is recorded, as no thread has a state then: that costs little. */
static __attribute__((noinline)) void elsewhere(const struct arch_frame *frame, uint64_t address,
                                                uint64_t size, enum spool_kind kind, int walked,
                                                uint64_t extra)
{
    if (recorder_state == RECORDER_OFF)
        return;
    struct job job = {.frame = frame,
                      .address = address,
                      .size = size,
                      .extra = extra,
                      .kind = kind,
                      .walked = walked};
    cramped_call(do_simple, &job);
}

/* A cramped stack has no room even for the frame of record(). So each hook's function has two parts
 * and jumps to one of them: it takes that room only once it knows that it may (the Makefile has
 * this file compiled with sibling calls). */
#define RECORD(name, what, walked)                                                                 \
    static __attribute__((noinline)) void name##_here(const struct arch_frame *frame,              \
                                                      uint64_t address, uint64_t size)             \
    {                                                                                              \
        struct spool_event e = {.kind = what, .address = address, .size = size};                   \
        simple(frame, &e, walked);                                                                 \
    }                                                                                              \
    static inline void name(const struct arch_frame *frame, uint64_t address, uint64_t size)       \
    {                                                                                              \
        if (cramped_perhaps((uintptr_t)frame))                                                     \
            elsewhere(frame, address, size, what, walked, 0);                                      \
        else                                                                                       \
            name##_here(frame, address, size);                                                     \
    }

RECORD(walked_alloc, SPOOL_ALLOC, 1)
RECORD(any_free, SPOOL_FREE, recorder_free_stacks)
RECORD(realloc_begin, SPOOL_REALLOC_BEGIN, 0)
RECORD(realloc_moved, SPOOL_REALLOC_MOVED, 1)
RECORD(range_begin, SPOOL_RANGE_BEGIN, recorder_free_stacks)

static __attribute__((noinline)) void range_map_here(const struct arch_frame *frame,
                                                     uint64_t address, uint64_t size, uint64_t what)
{
    struct spool_event e = {
        .kind = SPOOL_RANGE_MAP, .address = address, .size = size, .extra = what};
    simple(frame, &e, 1);
}

/* The others, which need not be fast. */
static __attribute__((noinline)) void ending_here(const struct arch_frame *frame,
                                                  enum spool_kind kind, int walked)
{
    struct spool_event e = {.kind = kind};
    simple(frame, &e, walked);
}

static inline void ending(const struct arch_frame *frame, enum spool_kind kind, int walked)
{
    if (cramped_perhaps((uintptr_t)frame))
        elsewhere(frame, 0, 0, kind, walked, 0);
    else
        ending_here(frame, kind, walked);
}

void record_alloc(const struct arch_frame *frame, const void *p, size_t size)
{
    tls.newest = (uintptr_t)p;
    walked_alloc(frame, (uintptr_t)p, size);
}

void record_failed(const struct arch_frame *frame, size_t size)
{
    tls.newest = RECORD_FAILED;
    walked_alloc(frame, 0, size);
}

void record_free(const struct arch_frame *frame, const void *p)
{
    any_free(frame, (uintptr_t)p, 0);
}

void record_realloc_begin(const struct arch_frame *frame, const void *old)
{
    realloc_begin(frame, (uintptr_t)old, 0);
}

void record_realloc_moved(const struct arch_frame *frame, const void *p, size_t size)
{
    realloc_moved(frame, (uintptr_t)p, size);
}

void record_realloc_failed(const struct arch_frame *frame)
{
    ending(frame, SPOOL_REALLOC_FAILED, 0);
}

void record_realloc_freed(const struct arch_frame *frame)
{
    ending(frame, SPOOL_REALLOC_FREED, recorder_free_stacks);
}

void record_range_begin(const struct arch_frame *frame, const void *p, size_t length)
{
    range_begin(frame, (uintptr_t)p, length);
}

void record_range_map(const struct arch_frame *frame, const void *p, size_t length, uint64_t what)
{
    if (cramped_perhaps((uintptr_t)frame))
        elsewhere(frame, (uintptr_t)p, length, SPOOL_RANGE_MAP, 1, what);
    else
        range_map_here(frame, (uintptr_t)p, length, what);
}

void record_range_dropped(const struct arch_frame *frame)
{
    ending(frame, SPOOL_RANGE_DROPPED, 0);
}

void record_range_failed(const struct arch_frame *frame)
{
    ending(frame, SPOOL_RANGE_FAILED, 0);
}

/* ---- what is not a hook of memory ---- */

/* 0 where it cannot be read; then the kernel will refuse it. */
static size_t path_length(const char *path)
{
    struct given g = GIVEN_NOTHING;
    size_t bytes = given_length(&g, path, FACT_PATH);
    return bytes != GIVEN_REFUSED ? bytes : 0;
}

/* The guard needs registers from which a walk finds its way out, like a hook's. */
static void do_plain(void *argument)
{
    struct job *job = argument;
    struct registers caller = arch_registers(job->frame);
    struct spool_event e = {.kind = job->kind, .address = job->address, .size = job->size};
    if (e.kind == SPOOL_EXEC)
        e.size = path_length(job->payload);
    struct thread *t = thread_enter(caller);
    if (!t)
        return;
    record(t, caller, &e, 0, job->payload);
    job->ticks = t->stream.delta.ticks;
    thread_leave(t);
}

static uint64_t plain(struct job job)
{
    if (cramped_perhaps((uintptr_t)job.frame))
        cramped_call(do_plain, &job);
    else
        do_plain(&job);
    return job.ticks;
}

void record_sample(uint64_t ns, uint64_t rss_bytes)
{
    plain((struct job){
        .frame = ARCH_CALLER(), .kind = SPOOL_SAMPLE, .address = ns, .size = rss_bytes});
}

uint64_t record_fork(uint32_t child_serial)
{
    return plain((struct job){.frame = ARCH_CALLER(), .kind = SPOOL_FORK, .address = child_serial});
}

static void label(uint64_t number, const void *payload, size_t bytes)
{
    plain((struct job){.frame = ARCH_CALLER(),
                       .kind = SPOOL_LABEL,
                       .address = number,
                       .size = bytes,
                       .payload = payload});
}

void record_forked(uint32_t child_serial)
{
    label(SPOOL_LABEL_FORKED, &child_serial, sizeof child_serial);
}

void record_birth(const struct spool_birth *births, size_t count)
{
    label(SPOOL_LABEL_BIRTH, births, count * sizeof *births);
}

void record_exec(const char *path)
{
    plain((struct job){.frame = ARCH_CALLER(), .kind = SPOOL_EXEC, .payload = path});
}

void record_name(void)
{
    struct registers caller = arch_registers(ARCH_CALLER());
    char name[THREAD_NAME];
    /* Its first event records it. A vforked child has a name of its own. */
    if (recorder_state == RECORDER_OFF || !thread_here() || !recorder_ready() || !thread_is_own())
        return;
    struct thread *t = thread_enter(caller);
    if (!t)
        return;
    read_name(name);
    if (name[0] && memcmp(name, t->name, sizeof name) != 0)
        record_thread(t);
    thread_leave(t);
}

void record_name_of(pthread_t thread, const char *name)
{
    struct spool_thread_name named = {0};
    if (!recorder_ready() || !thread_serial_of((uintptr_t)thread, life_of(thread), &named.serial))
        return;
    size_t bytes = strnlen(name, sizeof named.name);
    memcpy(named.name, name, bytes);
    label(SPOOL_LABEL_NAME, &named, offsetof(struct spool_thread_name, name) + bytes);
}

void record_label(struct thread *t, uint64_t number, const void *payload, size_t bytes)
{
    struct spool_event e = {.kind = SPOOL_LABEL, .address = number, .size = bytes};
    record(t, (struct registers){0}, &e, 0, payload);
}
