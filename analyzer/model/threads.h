/*
 * threads.h - what each thread of a process allocated, and how much of that lived at once. A block
 * stays its thread's, whoever frees it.
 *
 * Accounts are numbered in the order in which the threads were met. The first THREADS_KEPT threads
 * have one each, all later ones share the last, so that a process with very many threads costs no
 * more. While there is only one thread, nothing is counted: its figures are the heap's, and the
 * first account takes them over when a second thread comes.
 *
 * One owner, one thread. A zeroed struct is empty.
 */
#ifndef MPROF_THREADS_H
#define MPROF_THREADS_H

#include "mapped.h"

#define THREADS_KEPT 1000u

struct thread_account {
    uint32_t serial, threads;
    int32_t tid;
    char name[16];
    uint64_t begin_ns, end_ns;
    uint64_t allocations, allocated_bytes, temporary, live_blocks;
    uint64_t maps, mapped_bytes; /* of mapped memory */
    uint64_t pieces;             /* of it, at the end */
    struct holding held;         /* of the heap */
    struct both both;            /* beside it: mapped.h */
    struct holding mapped;       /* of mapped memory, at its own peaks */
};

struct thread_accounts {
    struct thread_account *list;
    size_t count, capacity;
    uint32_t met; /* threads so far */
    int several;  /* there are two or more: from now on it is counted */
};

/* Who a thread is, as far as one of its events says. */
struct thread_facts {
    uint32_t serial;
    int32_t tid;
    const char *name; /* name_bytes of it, no final NUL */
    size_t name_bytes;
};

/* The account of the `index`th thread, counted from 0 in the order in which they were met. */
static inline uint32_t threads_account(size_t index)
{
    return index < THREADS_KEPT ? (uint32_t)index : THREADS_KEPT;
}

struct heap;
/* Meets a thread at `ns`: for the first time if `index` is the next one's. `heap` is that of all
 * threads. */
void threads_meet(struct heap *heap, size_t index, const struct thread_facts *facts, uint64_t ns);

/* The account's thread had an event at `ns`. */
static inline void threads_seen(struct thread_accounts *a, uint32_t account, uint64_t ns)
{
    if (account < a->count && a->list[account].end_ns < ns)
        a->list[account].end_ns = ns;
}

static inline void threads_allocate(struct thread_accounts *a, uint32_t account, uint64_t size,
                                    struct instant at, const struct figures *f)
{
    struct thread_account *t = &a->list[account];

    t->allocations++;
    t->allocated_bytes += size;
    t->live_blocks++;
    holding_add(&t->held, size, at, f);
}

static inline void threads_release(struct thread_accounts *a, uint32_t account, uint64_t size,
                                   const struct figures *f)
{
    struct thread_account *t = &a->list[account];

    t->live_blocks--;
    holding_take(&t->held, size, f);
}

/* The same for mapped memory. */
void threads_map(struct heap *heap, uint32_t account, uint64_t bytes, struct instant at);
void threads_unmap(struct heap *heap, uint32_t account, uint64_t bytes);

/* Copies the accounts into the process, in memory of the image. kept_live as in figures_fill. */
void threads_fill(struct heap *heap, struct arena *memory, struct process *process, int kept_live);

void threads_clear(struct thread_accounts *a); /* releases its memory */

#endif
