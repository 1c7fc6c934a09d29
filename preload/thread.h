/*
 * thread.h - what the recorder keeps for a thread: its stream in the spool, its memo of the stack,
 * its guard. States are mmapped and never freed: a thread that has ended (life.h) leaves its state,
 * with the chunk it was filling, to a new one, which looks at a few of them in turn. So there are
 * not many more than threads at a time.
 *
 *   tls                 40 bytes of initial-exec TLS; all else is behind tls.thread
 *   tls.thread == NULL  no state yet: thread_enter makes one
 *   guard != 0          a hook of ours runs on this state. A signal handler that allocates then
 *                       gets the state `nested`, which writes its own stream under the same serial
 *
 * A state is used by its own thread only, but for its owner.
 */
#ifndef MPROF_THREAD_H
#define MPROF_THREAD_H

#include "chunk.h"
#include "walk.h"

#include <stdint.h>

struct tls {
    struct thread *thread;
    uintptr_t own;      /* sp where our own work began: what is allocated deeper is ours; 0 none */
    uintptr_t newest;   /* address of the last recorded allocation (interpose_cxx.c) */
    uintptr_t deleting; /* address whose free is recorded already (interpose_cxx.c) */
    uint32_t serial_plus_1; /* this thread's serial in its process, 0 none yet */
    uint32_t forked_serial; /* of the child of a fork under way (init.c), 0 none was given */
};

extern __thread struct tls tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

#define THREAD_NAME 16 /* bytes of it, as the kernel has it */

struct thread {
    struct stream stream;
    struct memo memo;
    uintptr_t guard;     /* sp of the hook's caller, 0 outside of a hook */
    uintptr_t guard_pc;  /* and its pc */
    uintptr_t alternate; /* the thread's alternate stack, where it is a small one (cramped.h) */
    size_t alternate_bytes;
    struct thread *nested;
    uint64_t owner;     /* {how often it has changed hands, the kernel's number of its thread} */
    uint32_t pool_next; /* index + 1 of the next free state */
    uint32_t index;
    uint32_t serial;             /* of the thread that uses this state now */
    uint32_t tid;                /* as its THREAD event says */
    uint32_t is_left;            /* to hooks: it is used no more */
    uintptr_t self;              /* pthread_self() of the owner */
    char name[THREAD_NAME];      /* as told in the stream last; zeros behind it */
} __attribute__((aligned(128))); /* no two threads write to a cache line, or a pair of them */

/* Hooks interrupted by handlers interrupted by handlers; deeper is lost. */
#define THREAD_NESTING 3

/* The rare half of thread_enter: no state yet, or its guard is set. */
struct thread *thread_enter_slow(struct registers caller);

/* Sets the guard. A handler that comes between the two stores uses the state and leaves it open,
 * which does no harm yet; so both are looked at again. */
static inline struct thread *thread_claim(struct thread *t, struct registers caller)
{
    do {
        __atomic_store_n(&t->guard, caller.sp, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        __atomic_store_n(&t->guard_pc, caller.pc, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
    } while (__builtin_expect(__atomic_load_n(&t->guard, __ATOMIC_RELAXED) != caller.sp ||
                                  __atomic_load_n(&t->guard_pc, __ATOMIC_RELAXED) != caller.pc,
                              0));
    return t;
}

/* The state to record with, its guard set, or NULL: nothing is recorded (counted as lost by the
 * caller where that is due). caller: of the hook. */
static inline struct thread *thread_enter(struct registers caller)
{
    struct thread *t = tls.thread;
    if (__builtin_expect(t && t->guard == 0, 1))
        return thread_claim(t, caller);
    return thread_enter_slow(caller);
}

/* The recorder's own work: what is allocated until own_end comes from the arena. Whoever jumps out
 * of a handler in between leaves `own` set; a hook further out does not believe it. */
static inline uintptr_t own_begin(void)
{
    uintptr_t before = tls.own;
    if (!before)
        tls.own = (uintptr_t)__builtin_frame_address(0);
    return before;
}

static inline void own_end(uintptr_t before)
{
    tls.own = before;
}

static inline int own_work(void)
{
    return __builtin_expect(tls.own != 0, 0) && (uintptr_t)__builtin_frame_address(0) < tls.own;
}

/* Whoever takes the state over, the thread gone, sees all that was stored before. */
static inline void thread_leave(struct thread *t)
{
    __atomic_store_n(&t->guard, 0, __ATOMIC_RELEASE);
}

/* The serial of the thread with this pthread_self() and number (life.h): 1, or 0 where it has no
 * state. */
int thread_serial_of(uintptr_t self, uint32_t id, uint32_t *serial);

/* Now and then: looks at a state. Where its thread has ended within a hook its stream is busy
 * still, and a collector waits for it. */
void thread_tend(void);

/* In a forked child, before thread_after_fork: the parent's streams with events later than `since`,
 * as the child's memory has them. Returns how many there are, `max` at most. */
size_t thread_births(uint64_t since, struct spool_birth *births, size_t max);

/* After a fork, in the child: every state but the caller's is free again, none has a chunk. */
void thread_after_fork(void);

#endif
