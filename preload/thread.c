/* thread.c - states, who has them, and the guard. */
#include "thread.h"
#include "cramped.h"
#include "event.h"
#include "init.h"
#include "life.h"
#include "sys.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>

__thread struct tls tls;

/* ---- states ---- */

#define STATES_MAX  (1u << 18)
#define SLAB_STATES 64
#define LOOKS       8  /* states that each thread that begins looks at */
#define TENDED      64 /* states that thread_tend looks at */

/* Slabs of states, indexed by state; a slab is mapped when its first state is wanted. */
static struct thread *slabs[STATES_MAX / SLAB_STATES];
static uint32_t state_count;

/* NULL: its slab is not there, or not there yet. */
static struct thread *state(uint32_t index)
{
    struct thread *slab = __atomic_load_n(&slabs[index / SLAB_STATES], __ATOMIC_ACQUIRE);
    return slab ? slab + index % SLAB_STATES : NULL;
}

static uint32_t states(void)
{
    uint32_t count = __atomic_load_n(&state_count, __ATOMIC_ACQUIRE);
    return count < STATES_MAX ? count : STATES_MAX;
}

static uint32_t owner_of(uint64_t owner)
{
    return (uint32_t)owner;
}

/* Gives the state to another owner, unless that has happened since `owner` was read: each change
 * has a number of its own, as the threads' numbers recur. */
static int change_owner(struct thread *t, uint64_t owner, uint32_t id)
{
    uint64_t wanted = ((owner >> 32) + 1) << 32 | id;
    return __atomic_compare_exchange_n(&t->owner, &owner, wanted, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

/* Free states: {tag, index + 1}; the tag makes a pop fail that was overtaken (ABA). */
static uint64_t pool_top;
static uint32_t pool_count; /* roughly how many */

static struct thread *pool_pop(uint32_t id)
{
    uint64_t top = __atomic_load_n(&pool_top, __ATOMIC_ACQUIRE);
    while ((uint32_t)top) {
        struct thread *t = state((uint32_t)top - 1);
        uint32_t next = __atomic_load_n(&t->pool_next, __ATOMIC_RELAXED);
        uint64_t wanted = ((top >> 32) + 1) << 32 | next;
        if (__atomic_compare_exchange_n(&pool_top, &top, wanted, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE)) {
            __atomic_fetch_sub(&pool_count, 1, __ATOMIC_RELAXED);
            change_owner(t, __atomic_load_n(&t->owner, __ATOMIC_RELAXED), id);
            return t;
        }
    }
    return NULL;
}

/* Called by the state's owner, or in a forked child. */
static void pool_push(struct thread *t)
{
    uint64_t top = __atomic_load_n(&pool_top, __ATOMIC_RELAXED), wanted;
    change_owner(t, __atomic_load_n(&t->owner, __ATOMIC_RELAXED), LIFE_FREE);
    __atomic_fetch_add(&pool_count, 1, __ATOMIC_RELAXED);
    do {
        __atomic_store_n(&t->pool_next, (uint32_t)top, __ATOMIC_RELAXED);
        wanted = ((top >> 32) + 1) << 32 | (t->index + 1);
    } while (!__atomic_compare_exchange_n(&pool_top, &top, wanted, 0, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
}

/* Something jumped out of a hook, or its thread ended in it: memo and chunk may be half changed. */
static void leave_open(struct thread *t)
{
    walk_reset(&t->memo);
    chunk_abandon(&t->stream);
}

/* Frees the state if its thread is gone. Whoever does so owns it meanwhile, and may end, too. */
static void bury(struct thread *t, uint32_t id)
{
    uint64_t owner = __atomic_load_n(&t->owner, __ATOMIC_ACQUIRE);
    if (!life_is_over(owner_of(owner)))
        return;
    POINT("inheriting");
    if (!change_owner(t, owner, id))
        return;
    if (__atomic_load_n(&t->guard, __ATOMIC_ACQUIRE)) /* all it stored can be seen by now */
        leave_open(t);
    walk_cache_shrink(&t->memo);
    thread_leave(t);
    pool_push(t);
}

/* Looks at `looks` states, in turn for all callers (two at a time may look at the same ones). */
static void look_around(uint32_t looks, uint32_t id)
{
    static uint32_t next;
    uint32_t count = states(), at = __atomic_load_n(&next, __ATOMIC_RELAXED);
    if (looks > count)
        looks = count;
    if (!looks || !life_can_ask())
        return;
    for (; looks > 0; looks--) {
        at = at + 1 < count ? at + 1 : 0;
        struct thread *t = state(at);
        if (t)
            bury(t, id);
    }
    __atomic_store_n(&next, at, __ATOMIC_RELAXED);
}

/* The slab of a new state. */
static struct thread *slab_of(uint32_t index)
{
    struct thread **slab = &slabs[index / SLAB_STATES];
    struct thread *have = __atomic_load_n(slab, __ATOMIC_ACQUIRE), *fresh;
    if (have)
        return have;
    fresh = sys_pages(sizeof *fresh * SLAB_STATES);
    if (!fresh)
        return NULL;
    if (__atomic_compare_exchange_n(slab, &have, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return fresh;
    sys_unmap(fresh, sizeof *fresh * SLAB_STATES);
    return have;
}

static struct thread *state_new(uint32_t id)
{
    uint32_t index = __atomic_fetch_add(&state_count, 1, __ATOMIC_RELAXED);
    if (index >= STATES_MAX) {
        __atomic_store_n(&state_count, STATES_MAX, __ATOMIC_RELAXED);
        return NULL;
    }
    struct thread *slab = slab_of(index);
    if (!slab)
        return NULL;
    struct thread *t = slab + index % SLAB_STATES;
    POINT("numbered");
    t->index = index;
    change_owner(t, 0, id);
    return t;
}

/* Each new thread looks at more states than it takes, as long as few are free. So those of ended
 * threads, however they lie, are found before there is one for every eight threads alive. */
static struct thread *state_found(uint32_t id)
{
    if (__atomic_load_n(&pool_count, __ATOMIC_RELAXED) <= states() / 4)
        look_around(LOOKS, id);
    struct thread *t = pool_pop(id);
    return t ? t : state_new(id);
}

void thread_tend(void)
{
    look_around(TENDED, life_own());
}

/* ---- whose storage it is ---- */

/* The first thread's block, which is always there; 0: we cannot know where a block is. */
static uintptr_t first_block;
static uintptr_t tls_distance; /* from a block to its thread's `tls` */

/* Before it, all threads are libc's. */
static __attribute__((constructor)) void look_at_processor(void)
{
    if (arch_may_ask_block(getauxval(AT_HWCAP2)))
        first_block = arch_block();
    tls_distance = (uintptr_t)&tls - first_block;
}

#define BLOCK_BYTES 1024 /* of libc's block: what we and libc read of it lies in these */

/* Are there all the words that a block of libc's has, and `tls` at its distance from them? */
static int can_be_read(uintptr_t block)
{
    uintptr_t at[] = {block, block + BLOCK_BYTES - 8, block + tls_distance};
    for (unsigned i = 0, n; i < 3; i++) {
        for (n = 0; n < i && at[n] / SYS_PAGE != at[i] / SYS_PAGE; n++)
            ;
        if (n == i && !sys_readable_by_any(at[i] & ~7ul))
            return 0;
    }
    return block % 8 == 0;
}

int thread_has_storage(void)
{
    uintptr_t block = first_block ? arch_block() : 0;
    return (block == first_block || can_be_read(block)) && arch_has_libc_block();
}

/* Is it one of our states? What lies where libc would have `tls` may be anything. */
static int is_state(const struct thread *t)
{
    for (uint32_t i = 0; i < states(); i += SLAB_STATES)
        if ((uintptr_t)t - (uintptr_t)state(i) < SLAB_STATES * sizeof *t)
            return ((uintptr_t)t - (uintptr_t)state(i)) % sizeof *t == 0;
    return 0;
}

struct thread *thread_here(void)
{
    return thread_has_storage() && is_state(tls.thread) ? tls.thread : NULL;
}

/* The state tells its owner; a thread without one asks libc. */
static int owns(const struct thread *t, uint32_t id)
{
    if (!t)
        return life_own() == id;
    if (!is_state(t))
        return 0;
    uint32_t owner = owner_of(__atomic_load_n(&t->owner, __ATOMIC_RELAXED));
    return owner == id || (owner == LIFE_UNKNOWN && (t->tid == id || !t->tid));
}

/* A handler may fork in the middle: then number and state are of two processes. */
int thread_is_own(void)
{
    for (;;) {
        const struct thread *t = tls.thread;
        uint32_t id = (uint32_t)sys_tid();
        if (!id || owns(t, id))
            return 1;
        int is_ready = recorder_ready();
        if (!is_ready || (t == tls.thread && id == (uint32_t)sys_tid()))
            return !is_ready;
    }
}

/* ---- a thread's first event ---- */

/* glibc puts a thread's control block at the top of its stack; the first thread's stack ends where
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

/* A state for the thread, with its guard set. frame: sp of the hook's caller. */
static struct thread *state_take(uintptr_t frame)
{
    struct thread *t = state_found(life_own());
    if (!t)
        return NULL;
    if (!tls.serial_plus_1) {
        uint32_t none = 0, next = __atomic_add_fetch(&spool.process->threads, 1, __ATOMIC_RELAXED);
        __atomic_compare_exchange_n(&tls.serial_plus_1, &none, next, 0, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED); /* fails where a handler was faster */
    }
    t->serial = tls.serial_plus_1 - 1;
    t->tid = (uint32_t)sys_tid();
    /* Serials do not say it: the initial thread may get a second one, as ld.so wipes our storage
     * after its first events. */
    if (t->tid != (uint32_t)init_pid())
        __atomic_store_n(&init_has_threads, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&t->self, (uintptr_t)pthread_self(), __ATOMIC_RELAXED);
    __atomic_store_n(&t->guard, frame, __ATOMIC_RELAXED); /* a jump may now leave it open */
    t->nested = NULL;
    cramped_note(t);
    walk_new_stack(&t->memo, frame, stack_end_of(frame));
    walk_forget(&t->memo);
    event_thread(t);
    return t;
}

/* Publishes a state with its guard set: a handler that comes later gets a nested one. NULL where
 * there is none, or a handler that came earlier has put its own in place. */
static struct thread *begin_state(struct registers caller)
{
    struct thread *none = NULL, *t = state_take(caller.sp);
    if (!t)
        return NULL;
    t->guard_pc = caller.pc;
    POINT("begun");
    if (__atomic_compare_exchange_n(&tls.thread, &none, t, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return t;
    thread_leave(t);
    pool_push(t);
    return NULL;
}

struct thread *thread_enter_in_child(struct registers caller)
{
    return recorder_state == RECORDER_ON ? thread_enter(caller) : NULL;
}

/* Signals are held back: a state must not be left between two threads, or two processes. When they
 * are released a handler may fork: its child goes on here, too. */
static struct thread *begin(struct registers caller)
{
    struct sys_held held = sys_hold_signals();
    struct thread *t = begin_state(caller);
    sys_release_signals(held);
    if (t)
        return thread_is_left(t) ? thread_enter_in_child(caller) : t;
    return tls.thread ? thread_enter(caller) : NULL;
}

/* The number, too, must match: another thread may have had the same storage before, and ended. */
int thread_serial_of(uintptr_t self, uint32_t id, uint32_t *serial)
{
    uint32_t count = states();
    for (uint32_t i = 0; i < count; i++) {
        const struct thread *t = state(i);
        if (t && __atomic_load_n(&t->self, __ATOMIC_RELAXED) == self &&
            owner_of(__atomic_load_n(&t->owner, __ATOMIC_RELAXED)) == id) {
            *serial = t->serial;
            return 1;
        }
    }
    return 0;
}

/* ---- the guard ---- */

/* The guard is set, yet we come from outside: either a handler has interrupted the hook, or
 * something has jumped out of it (siglongjmp, an exception) and its frame is gone. In the first
 * case the frame that called the interrupted hook is on this stack, further out than we are. Where
 * the stack cannot be walked that far, the frame is gone if sp has risen above it, unless the
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
        return caller.sp > t->guard && !(alternate.ss_flags & SS_ONSTACK) &&
               !cramped_perhaps(caller.sp);
    }
}

/* Gives t a state for the handlers that interrupt it; where signals cannot be held back, a handler
 * may do the same meanwhile. */
static int nest_state(struct thread *t, struct registers caller)
{
    struct thread *none = NULL, *fresh = state_take(caller.sp);
    if (!fresh)
        return 0;
    thread_leave(fresh);
    POINT("begun");
    if (!__atomic_compare_exchange_n(&t->nested, &none, fresh, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
        pool_push(fresh);
    return 1;
}

static int nest(struct thread *t, struct registers caller)
{
    struct sys_held held = sys_hold_signals();
    int is_nested = nest_state(t, caller);
    sys_release_signals(held);
    return is_nested;
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
        if (thread_is_left(t))
            return thread_enter_in_child(caller);
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
    uint32_t count = states();
    size_t found = 0;
    for (uint32_t i = 0; i < count && found < max; i++) {
        const struct thread *t = state(i);
        const struct stream *s = t ? &t->stream : NULL;
        if (s && s->serial_plus_1 && s->delta.ticks > since)
            births[found++] = (struct spool_birth){s->delta.ticks, s->serial_plus_1 - 1, 0};
    }
    return found;
}

/* A handler has forked: its thread's states belong to the hooks that it interrupted, which go on in
 * the child, too. So the states are left to them. */
static void leave_to_hooks(void)
{
    struct thread *t = tls.thread;
    uint64_t forked_at = spool.process->fork_ticks ? spool.process->fork_ticks : init_ticks();
    if (!t || !t->guard)
        return;
    for (; t; t = t->nested) {
        chunk_detach(&t->stream);
        t->owner = LIFE_UNKNOWN;
        t->left_at = forked_at;
    }
    tls.thread = NULL;
}

/* Frees all states but the caller's own, and those that are left. */
static void free_states(const struct thread *own)
{
    uint32_t count = states();
    pool_top = 0;
    pool_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct thread *t = state(i);
        if (!t || thread_is_left(t))
            continue;
        chunk_forget(&t->stream);
        if (t != own && t->guard) /* its thread was at work on it */
            walk_reset(&t->memo);
        t->index = i; /* another thread may have been making it */
        t->guard = 0;
        t->nested = NULL;
        if (t == own)
            t->owner = life_own();
        else
            pool_push(t);
    }
}

void thread_after_fork(void)
{
    struct thread *first = tls.thread;
    cramped_after_fork();
    leave_to_hooks();
    free_states(tls.thread);
    init_has_threads = 0;
    tls.serial_plus_1 =
        first ? __atomic_add_fetch(&spool.process->threads, 1, __ATOMIC_RELAXED) : 0;
    for (struct thread *t = first; t; t = t->nested) {
        t->serial = tls.serial_plus_1 - 1;
        t->tid = (uint32_t)sys_tid();
    }
}

void thread_after_fork_for_nothing(void)
{
    leave_to_hooks();
    if (tls.thread)
        chunk_forget(&tls.thread->stream);
}
