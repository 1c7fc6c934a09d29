/* thread.c - states, their pool, and the guard. */
#include "thread.h"
#include "init.h"
#include "record.h"
#include "sys.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

__thread struct tls tls;

/* ---- the pool ---- */

#define STATES_MAX  (1u << 18)
#define SLAB_STATES 64

/* Slabs of states, indexed by state; a slab is mapped when its first state is wanted. */
static struct thread *slabs[STATES_MAX / SLAB_STATES];
static uint32_t state_count;
/* Free states: {tag, index + 1}; the tag makes a pop that was overtaken fail (ABA). */
static uint64_t pool_top;

static struct thread *state(uint32_t index)
{
    return slabs[index / SLAB_STATES] + index % SLAB_STATES;
}

static struct thread *pool_pop(void)
{
    uint64_t top = __atomic_load_n(&pool_top, __ATOMIC_ACQUIRE);
    while ((uint32_t)top) {
        struct thread *t = state((uint32_t)top - 1);
        uint32_t next = __atomic_load_n(&t->pool_next, __ATOMIC_RELAXED);
        uint64_t wanted = ((top >> 32) + 1) << 32 | next;
        if (__atomic_compare_exchange_n(&pool_top, &top, wanted, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return t;
    }
    return NULL;
}

static void pool_push(struct thread *t)
{
    uint64_t top = __atomic_load_n(&pool_top, __ATOMIC_RELAXED), wanted;
    do {
        __atomic_store_n(&t->pool_next, (uint32_t)top, __ATOMIC_RELAXED);
        wanted = ((top >> 32) + 1) << 32 | (t->index + 1);
    } while (!__atomic_compare_exchange_n(&pool_top, &top, wanted, 0, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

static struct thread *state_new(void)
{
    uint32_t index = __atomic_fetch_add(&state_count, 1, __ATOMIC_RELAXED);
    if (index >= STATES_MAX) {
        __atomic_store_n(&state_count, STATES_MAX, __ATOMIC_RELAXED);
        return NULL;
    }
    struct thread **slab = &slabs[index / SLAB_STATES];
    struct thread *have = __atomic_load_n(slab, __ATOMIC_ACQUIRE);
    if (!have) {
        struct thread *fresh = sys_pages(sizeof *fresh * SLAB_STATES);
        if (!fresh)
            return NULL;
        if (!__atomic_compare_exchange_n(slab, &have, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            sys_unmap(fresh, sizeof *fresh * SLAB_STATES);
    }
    struct thread *t = state(index);
    t->index = index;
    return t;
}

/* ---- a thread's first event and its end ---- */

static pthread_key_t key;
static int key_exists;
#define LAST_ROUND 3 /* of PTHREAD_DESTRUCTOR_ITERATIONS: other destructors may free until then */

/* glibc lays a thread's control block at the top of its stack; the first thread's stack ends where
 * the kernel put argv, which ld.so remembers. */
static uintptr_t stack_end_of(uintptr_t sp)
{
    extern void *__libc_stack_end __attribute__((weak)); /* not in musl */
    uintptr_t first = ((uintptr_t)__libc_stack_end | (SPOOL_PAGE - 1)) + 1;
    uintptr_t other = (uintptr_t)pthread_self();
    uintptr_t best = 0;
    if (sp < first && first - sp < 1u << 30)
        best = first;
    if (sp < other && other - sp < 1u << 30 && (!best || other < best))
        best = other;
    return best;
}

static struct thread *state_take(uintptr_t frame)
{
    struct thread *t = pool_pop();
    if (!t)
        t = state_new();
    if (!t)
        return NULL;
    if (!tls.serial_plus_1) {
        uint32_t none = 0, next = __atomic_add_fetch(&spool.process->threads, 1, __ATOMIC_RELAXED);
        __atomic_compare_exchange_n(&tls.serial_plus_1, &none, next, 0, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED); /* fails where a handler was faster */
    }
    t->serial = tls.serial_plus_1 - 1;
    if (t->serial > 0)
        __atomic_store_n(&init_has_threads, 1, __ATOMIC_RELAXED);
    t->tid = (uint32_t)sys_tid();
    t->self = (uintptr_t)pthread_self();
    t->guard = 0;
    t->nested = NULL;
    t->rounds = 0;
    t->passing = 0;
    walk_new_stack(&t->memo, frame, stack_end_of(frame));
    walk_forget(&t->memo);
    record_thread(t);
    return t;
}

/* Publishes the state with its guard set: a handler that comes from then on gets a nested one. One
 * that came before, and had to begin as well, has put its state in place; that is used. */
static struct thread *begin(struct registers caller)
{
    struct thread *none = NULL, *t = state_take(caller.sp);
    if (!t)
        return NULL;
    t->guard = caller.sp;
    t->guard_pc = caller.pc;
    t->passing = tls.ended; /* nobody would call `end` again: thread_leave hands it back */
    if (!__atomic_compare_exchange_n(&tls.thread, &none, t, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED)) {
        t->guard = 0;
        pool_push(t);
        return thread_enter(caller);
    }
    if (!tls.ended && key_exists) {
        uintptr_t before = own_begin();
        pthread_setspecific(key, t);
        own_end(before);
    }
    return t;
}

/* Something jumped out of a hook, or its thread was cancelled in it: memo and chunk may have been
 * left between two of their words. */
static void leave_open(struct thread *t)
{
    walk_reset(&t->memo);
    chunk_abandon(&t->stream);
}

/* To the pool, with the states of interrupted hooks. A handler may come at any point and do the
 * same. */
void thread_hand_back(void)
{
    struct thread *t = __atomic_exchange_n(&tls.thread, NULL, __ATOMIC_ACQ_REL);
    while (t) {
        struct thread *nested = t->nested;
        if (t->guard)
            leave_open(t);
        t->guard = 0;
        t->passing = 0;
        t->self = 0;
        pool_push(t);
        t = nested;
    }
}

/* The key's destructor. It comes back until the last round, so that what other destructors free is
 * still recorded. What is freed after that (by other destructors of the last round, by the C
 * library's own end of a thread) is recorded in a state lent for that one event. */
static void end(void *value)
{
    struct thread *t = value;
    if (t != tls.thread)
        return; /* a forked child's copy of another thread's */
    if (++t->rounds < LAST_ROUND) {
        uintptr_t before = own_begin();
        pthread_setspecific(key, t);
        own_end(before);
        return;
    }
    record_name();
    tls.ended = 1;
    thread_hand_back();
}

int thread_serial_of(uintptr_t self, uint32_t *serial)
{
    uint32_t count = __atomic_load_n(&state_count, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < count && i < STATES_MAX; i++) {
        struct thread *slab = __atomic_load_n(&slabs[i / SLAB_STATES], __ATOMIC_ACQUIRE);
        const struct thread *t = slab ? slab + i % SLAB_STATES : NULL;
        if (t && __atomic_load_n(&t->self, __ATOMIC_RELAXED) == self) {
            *serial = t->serial;
            return 1;
        }
    }
    return 0;
}

void thread_key_create(void)
{
    key_exists = pthread_key_create(&key, end) == 0;
    if (key_exists && tls.thread)
        pthread_setspecific(key, tls.thread);
}

/* ---- the guard ---- */

/* The guard is set, and yet we come from outside: either a handler interrupted the hook, or
 * something jumped out of it (siglongjmp, an exception) and its frame is gone. In the first case
 * the frame that called the interrupted hook is on this stack, further out than where we stand.
 * Where the stack cannot be walked that far, it is gone if sp has risen above it, unless the
 * handler runs on another stack. */
static int is_stale(const struct thread *t, struct registers caller)
{
    stack_t alternate = {0};
    if (caller.sp == t->guard)
        return 1;
    switch (walk_finds(&t->memo, caller, t->guard, t->guard_pc)) {
    case WALK_FOUND:
        return 0;
    case WALK_NOT_FOUND:
        return 1;
    default:
        if (sys_may(SYS_KIND_SELF))
            SYS_CALL(SYS_sigaltstack, 0, &alternate, 0, 0, 0, 0);
        return caller.sp > t->guard && !(alternate.ss_flags & SS_ONSTACK);
    }
}

/* Gives t a state for the handlers that interrupt it; a handler may do the same meanwhile. */
static int nest(struct thread *t, struct registers caller)
{
    struct thread *none = NULL, *fresh = state_take(caller.sp);
    if (!fresh)
        return 0;
    if (!__atomic_compare_exchange_n(&t->nested, &none, fresh, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        pool_push(fresh);
    return 1;
}

static __attribute__((noinline)) struct thread *enter_nested(struct thread *t,
                                                             struct registers caller)
{
    for (unsigned level = 0; level < THREAD_NESTING; level++) {
        if (!t->guard)
            return thread_claim(t, caller);
        if (is_stale(t, caller)) {
            thread_claim(t, caller);
            leave_open(t);
            return t;
        }
        if (!t->nested && !nest(t, caller))
            return NULL;
        t = t->nested;
    }
    return NULL;
}

struct thread *thread_enter_slow(struct registers caller)
{
    struct thread *t = tls.thread;
    if (__builtin_expect(!t, 0))
        return begin(caller);
    if (__builtin_expect(t->guard != 0, 0))
        return enter_nested(t, caller);
    return thread_claim(t, caller);
}

size_t thread_births(uint64_t since, struct spool_birth *births, size_t max)
{
    uint32_t count = state_count < STATES_MAX ? state_count : STATES_MAX;
    size_t found = 0;
    for (uint32_t i = 0; i < count && found < max; i++) {
        const struct thread *t = slabs[i / SLAB_STATES] ? state(i) : NULL;
        const struct stream *s = t ? &t->stream : NULL;
        if (s && s->serial_plus_1 && s->delta.ticks > since)
            births[found++] = (struct spool_birth){s->delta.ticks, s->serial_plus_1 - 1, 0};
    }
    return found;
}

/* A handler forked: its thread's states belong to the hooks that it interrupted, which go on in the
 * child, too. They are left to them. */
static void leave_to_hooks(struct thread *t)
{
    for (; t; t = t->nested) {
        chunk_detach(&t->stream);
        t->index = UINT32_MAX;
    }
    tls.thread = NULL;
}

void thread_after_fork(void)
{
    uint32_t count = state_count < STATES_MAX ? state_count : STATES_MAX;
    if (tls.thread && tls.thread->guard)
        leave_to_hooks(tls.thread);
    struct thread *own = tls.thread;
    tls.serial_plus_1 = 0;
    init_has_threads = 0;
    pool_top = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct thread *t = slabs[i / SLAB_STATES] ? state(i) : NULL;
        if (!t || t->index != i)
            continue;
        chunk_forget(&t->stream);
        t->guard = 0;
        t->nested = NULL;
        t->self = t == own ? t->self : 0;
        if (t != own)
            pool_push(t);
    }
    if (own) {
        tls.serial_plus_1 = __atomic_add_fetch(&spool.process->threads, 1, __ATOMIC_RELAXED);
        own->serial = tls.serial_plus_1 - 1;
        own->tid = (uint32_t)sys_tid();
    }
}
