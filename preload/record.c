/* record.c - the hooks' facts become events. */
#include "record.h"
#include "cramped.h"
#include "event.h"
#include "given.h"
#include "init.h"
#include "life.h"
#include "loaded.h"
#include "sample.h"
#include "start_facts.h"
#include "sys.h"

#include <string.h>

/* ---- the hooks' side ---- */

/* Enters, records, leaves. */
static void simple(const struct arch_frame *frame, struct spool_event *e, int walked)
{
    if (!recorder_ready()) {
        if (recorder_state == RECORDER_COUNTING)
            spool_lost(event_kind_lost(e), e->size);
        return;
    }
    struct registers caller = arch_registers(frame);
    loaded_notice(caller.pc);
    struct thread *t = thread_enter(caller);
    if (__builtin_expect(!t, 0)) {
        spool_lost(event_kind_lost(e), e->size);
        return;
    }
    event_record(t, caller, e, walked, NULL);
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

/* There is no room, or the stack was not known, or the chunk has not shown it; or this is a child.
 */
static __attribute__((noinline)) void go_on(struct thread *t, const struct arch_frame *frame,
                                            enum spool_kind kind, uint64_t ticks, uint64_t address,
                                            uint64_t size, int walked,
                                            struct walk_cache_stack *known)
{
    struct spool_event e = {.kind = kind, .ticks = ticks, .address = address, .size = size};
    event_go_on(t, arch_registers(frame), &e, walked, known, NULL);
    thread_leave(t);
    sample_if_due(e.ticks);
}

static __attribute__((noinline)) void unusual(const struct arch_frame *frame, enum spool_kind kind,
                                              uint64_t address, uint64_t size, int walked)
{
    struct spool_event e = {.kind = kind, .address = address, .size = size};
    simple(frame, &e, walked);
}

/* Can a hook with this frame enter t at once? */
static inline int is_usual(const struct thread *t, const struct arch_frame *frame)
{
    return __builtin_expect(recorder_state == RECORDER_ON, 1) &&
           __builtin_expect(*recorder_alive == RECORDER_ALIVE, 1) &&
           __builtin_expect(t != NULL && t->guard == 0, 1) && !loaded_would_notice(frame->pc);
}

/* Enters, records, leaves. Nothing is called on the usual way, and no struct is passed on by the
 * others, which would be built in memory first. */
static inline __attribute__((always_inline)) void quick(const struct arch_frame *frame,
                                                        enum spool_kind kind, uint64_t address,
                                                        uint64_t size, int walked)
{
    struct thread *t = tls.thread;
    if (!is_usual(t, frame)) {
        unusual(frame, kind, address, size, walked);
        return;
    }
    struct registers caller = arch_registers(frame);
    struct walk_cache_stack *known = NULL;
    thread_claim(t, caller); /* before that a signal's handler may fill the chunk */
    uint64_t ticks = event_begin(t, kind);
    if (walked)
        known = event_find(t, caller);
    if (!event_has_room(t) || thread_left_before(t, ticks) ||
        (walked && !event_is_shown(t, known))) {
        go_on(t, frame, kind, ticks, address, size, walked, known);
        return;
    }
    event_put(t, kind, ticks, address, size, known);
    thread_leave(t);
    sample_if_due(ticks);
}

/* A cramped stack has no room even for the frame of quick(). So each hook's function has two parts
 * and jumps to one of them: it takes that room only once it knows that it may (the Makefile has
 * this file compiled with sibling calls). */
#define RECORD(name, what, walked)                                                                 \
    static __attribute__((noinline)) void name##_here(const struct arch_frame *frame,              \
                                                      uint64_t address, uint64_t size)             \
    {                                                                                              \
        quick(frame, what, address, size, walked);                                                 \
    }                                                                                              \
    static inline void name(const struct arch_frame *frame, uint64_t address, uint64_t size)       \
    {                                                                                              \
        if (cramped_perhaps((uintptr_t)frame))                                                     \
            elsewhere(frame, address, size, what, walked, 0);                                      \
        else                                                                                       \
            name##_here(frame, address, size);                                                     \
    }

RECORD(walked_alloc, SPOOL_ALLOC, 1)
RECORD(plain_free, SPOOL_FREE, 0)
RECORD(walked_free, SPOOL_FREE, 1)
RECORD(realloc_begin, SPOOL_REALLOC_BEGIN, 0)
RECORD(realloc_moved, SPOOL_REALLOC_MOVED, 1)

/* The others, which need not be fast. */
static __attribute__((noinline)) void range_here(const struct arch_frame *frame,
                                                 enum spool_kind kind, uint64_t address,
                                                 uint64_t size, uint64_t what, int walked)
{
    struct spool_event e = {.kind = kind, .address = address, .size = size, .extra = what};
    simple(frame, &e, walked);
}

static inline void range(const struct arch_frame *frame, enum spool_kind kind, const void *p,
                         size_t size, uint64_t what, int walked)
{
    if (cramped_perhaps((uintptr_t)frame))
        elsewhere(frame, (uintptr_t)p, size, kind, walked, what);
    else
        range_here(frame, kind, (uintptr_t)p, size, what, walked);
}

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
    if (__builtin_expect(recorder_free_stacks, 0))
        walked_free(frame, (uintptr_t)p, 0);
    else
        plain_free(frame, (uintptr_t)p, 0);
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
    range(frame, SPOOL_RANGE_BEGIN, p, length, 0, recorder_free_stacks);
}

void record_range_map(const struct arch_frame *frame, const void *p, size_t length, uint64_t what)
{
    range(frame, SPOOL_RANGE_MAP, p, length, what, 1);
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
    event_record(t, caller, &e, 0, job->payload);
    job->ticks = e.kind == SPOOL_NOTHING ? 0 : e.ticks;
    thread_leave(t);
}

static void on_enough_stack(void (*record)(void *job), struct job *job)
{
    if (cramped_perhaps((uintptr_t)job->frame))
        cramped_call(record, job);
    else
        record(job);
}

static uint64_t plain(struct job job)
{
    on_enough_stack(do_plain, &job);
    return job.ticks;
}

/* Whoever reads the spool learns the counter's rate from its ticks and ns: both of one moment. */
static void do_sample(void *argument)
{
    const struct job *job = argument;
    struct registers caller = arch_registers(job->frame);
    struct thread *t = thread_enter(caller);
    if (!t)
        return;
    event_begin(t, SPOOL_SAMPLE);
    struct spool_moment now = init_now();
    struct spool_event e = {
        .kind = SPOOL_SAMPLE, .ticks = now.ticks, .address = now.ns, .size = job->size};
    event_go_on(t, caller, &e, 0, NULL, NULL);
    thread_leave(t);
}

void record_sample(uint64_t rss_bytes)
{
    struct job job = {.frame = ARCH_CALLER(), .size = rss_bytes};
    on_enough_stack(do_sample, &job);
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
    event_read_name(name);
    if (name[0] && memcmp(name, t->name, sizeof name) != 0)
        event_thread(t);
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
    event_record(t, (struct registers){0}, &e, 0, payload);
}
