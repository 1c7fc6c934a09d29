/*
 * thread.h - what the recorder keeps for a thread: its stream in the spool, its memo of the stack,
 * its guard. States are mmapped and never freed: a thread that has ended (life.h) leaves its state,
 * with the chunk it was filling, to a new thread, which looks at a few states in turn. So there are
 * not many more states than threads alive at a time.
 *
 *   tls                 56 bytes of initial-exec TLS; all else is behind tls.thread
 *   tls.thread == NULL  no state yet: thread_enter makes one
 *   guard != 0          a hook of ours runs on this state. A signal handler that allocates then
 *                       gets the state `nested`, which writes its own stream under the same serial
 *
 * Only its own thread uses a state; the exception is `owner`.
 */
#ifndef MPROF_THREAD_H
#define MPROF_THREAD_H

#include "chunk.h"
#include "walk.h"

#include <stdint.h>

/* A fork that is under way (forking.c). */
struct forked {
    uint32_t serial; /* of the child, 0 none */
    uint32_t place;  /* sp / 16 where it was called, modulo 2^32 */
};

struct tls {
    struct thread *thread;
    uintptr_t own;      /* sp where our own work began: what is allocated deeper is ours; 0 none */
    uintptr_t newest;   /* address of the last recorded allocation, or RECORD_FAILED (record.h) */
    uintptr_t deleting; /* address whose free is already recorded (interpose.c) */
    uint32_t serial_plus_1; /* this thread's serial in its process, 0 none yet */
    struct forked forked;
    struct forked outer; /* the fork that a handler's fork has interrupted */
};

extern __thread struct tls tls __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* May `tls` be touched? Not in a thread that the program has made without the C library, on storage
 * of its own (clone with CLONE_SETTLS), whatever lies there: the kernel is asked whether it can be
 * read, but for the first thread. Needs nothing, not even a recorder. */
int thread_has_storage(void);

/* Is that storage the caller's own? The child of a vfork, or of a clone without CLONE_SETTLS, is on
 * that of the thread that made it, which may be using it at this moment. For a recorder that is
 * ready, and a thread that has storage. Costs a system call; 1 where that is forbidden. */
int thread_is_own(void);

#define THREAD_NAME 16 /* bytes of a name, as in the kernel */

struct thread {
    struct stream stream;
    struct memo memo;
    uintptr_t guard;     /* sp of the hook's caller, 0 outside of a hook */
    uintptr_t guard_pc;  /* and its pc */
    uint64_t left_at;    /* the time of a handler's FORK: this state is left to the hooks that it
                            interrupted, and not used again; 0: it is not left */
    uintptr_t alternate; /* the thread's alternate stack, where it is a small one (cramped.h) */
    size_t alternate_bytes;
    void *left_pages; /* of a vforked child's exec (exec_environment.c) */
    size_t left_bytes;
    int32_t left_by; /* its pid */
    struct thread *nested;
    uint64_t owner;     /* {how often it has changed hands, the kernel's number of its thread} */
    uint32_t pool_next; /* index + 1 of the next free state */
    uint32_t index;
    uint32_t serial;             /* of the thread that uses this state now */
    uint32_t tid;                /* as in its THREAD event */
    uintptr_t self;              /* pthread_self() of the owner */
    char name[THREAD_NAME];      /* as last recorded in the stream, zero-padded */
} __attribute__((aligned(128))); /* no two threads write to one cache line, or pair of lines */

/* The caller's state, NULL where it has none. For callers that may be a thread without storage. */
struct thread *thread_here(void);

/* How many hooks may interrupt each other by way of handlers; what is deeper is lost. */
#define THREAD_NESTING 3

/* The rare half of thread_enter: no state yet, or its guard is set. */
struct thread *thread_enter_slow(struct registers caller);

/* A handler has forked, this is its child, and the hook that it interrupted has a state that is
 * left: enters another one. NULL also where the child records nothing. */
struct thread *thread_enter_in_child(struct registers caller);

static inline int thread_is_left(const struct thread *t)
{
    return __builtin_expect(t->left_at != 0, 0);
}

/* A handler has forked before the event of this time, and this is its child: the parent's event
 * comes behind the FORK, so the child does not inherit it. (0 - 1 is later than any time.) */
static inline int thread_left_before(const struct thread *t, uint64_t ticks)
{
    return __builtin_expect(t->left_at - 1 < ticks - 1, 0);
}

/* Sets the guard. A signal handler between the two stores may use the state and clear the guard,
 * which does no harm yet; so both words are checked again. */
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

/* Returns the state to record with, its guard set, or NULL where nothing is recorded (the caller
 * counts a loss where one is due). caller: the hook's. */
static inline struct thread *thread_enter(struct registers caller)
{
    struct thread *t = tls.thread;
    if (__builtin_expect(t && t->guard == 0, 1))
        return thread_claim(t, caller);
    return thread_enter_slow(caller);
}

/* The recorder's own work: what is allocated until own_end comes from the arena. A jump out of a
 * handler in between leaves `own` set; a hook further out does not believe it. */
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

/* Whoever takes the state over when the thread is gone sees all that was stored before. */
static inline void thread_leave(struct thread *t)
{
    __atomic_store_n(&t->guard, 0, __ATOMIC_RELEASE);
}

/* Finds the serial of the thread with this pthread_self() and number (life.h): 1, or 0 where it has
 * no state. */
int thread_serial_of(uintptr_t self, uint32_t id, uint32_t *serial);

/* Called now and then (sample.h): looks at some states. If a thread has ended inside a hook, its
 * stream is still busy, and a collector waits for it. */
void thread_tend(void);

/* In a forked child, before thread_after_fork: the parent's streams that have events later than
 * `since` in the child's memory. Returns how many there are, at most `max`. */
size_t thread_births(uint64_t since, struct spool_birth *births, size_t max);

/* In a forked child: every state but the caller's becomes free, and none keeps a chunk. */
void thread_after_fork(void);
/* The same in a child that records nothing: a hook that a handler's fork interrupted must not go on
 * in its parent's chunk. */
void thread_after_fork_for_nothing(void);

#endif
