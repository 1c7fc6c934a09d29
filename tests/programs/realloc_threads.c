/*
 * realloc_threads.c - realloc in all its forms, of blocks that other threads made.
 *
 * BUILD -O2 -pthread -Wno-alloc-size-larger-than
 * VALGRIND no: it counts a failed realloc as an allocation and a free
 *
 * 4 threads each 30,000 times take a block out of one of 16 slots and put one back, in turn by: grow
 * (to 600), shrink (to 8), array (reallocarray to 3 * 50), nothing (realloc(p, 0), which frees, then
 * realloc(NULL, 40) in anew), in_vain (a size that cannot be met: the block stays), make (free and
 * malloc(100)). So an address that one thread's realloc lets go of is soon another's. Each form 20,000
 * times; main fills the slots by make and frees what is left: nothing may be unmatched or implied.
 *
 * EXPECT grow self allocations 20000
 * EXPECT grow self allocated_bytes 12000000
 * EXPECT grow self live_at_end_blocks 0
 * EXPECT shrink self allocations 20000
 * EXPECT shrink self allocated_bytes 160000
 * EXPECT shrink self live_at_end_blocks 0
 * EXPECT array self allocations 20000
 * EXPECT array self allocated_bytes 3000000
 * EXPECT array self live_at_end_blocks 0
 * EXPECT anew self allocations 20000
 * EXPECT anew self live_at_end_blocks 0
 * EXPECT make self allocations 20016
 * EXPECT make self live_at_end_blocks 0
 * EXPECT nothing self absent 1
 * EXPECT in_vain self absent 1
 * EXPECT worker inclusive allocations 100000
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define THREADS  4
#define TURNS    30000
#define SLOTS    16
#define NOINLINE static __attribute__((noinline))

static _Atomic(void *) slot[SLOTS];
static pthread_barrier_t barrier;
static volatile size_t none = 0, too_much = PTRDIFF_MAX;

/* Keeps the compiler from leaving out a block, and from a jump in the place of a call. */
static inline void *kept(void *p)
{
    __asm__ volatile("" : "+r"(p));
    return p;
}

NOINLINE void *make(void)
{
    return kept(malloc(100));
}

NOINLINE void *grow(void *p)
{
    return kept(realloc(p, 600));
}

NOINLINE void *shrink(void *p)
{
    return kept(realloc(p, 8));
}

NOINLINE void *array(void *p)
{
    return kept(reallocarray(p, 3, 50));
}

NOINLINE void *anew(void)
{
    return kept(realloc(NULL, 40));
}

NOINLINE void *nothing(void *p)
{
    return kept(realloc(p, none)) ? NULL : anew();
}

NOINLINE void *in_vain(void *p)
{
    return kept(realloc(p, too_much)) ? NULL : p;
}

static void *one_turn(unsigned turn, void *p)
{
    switch (turn % 6) {
    case 0:
        return grow(p);
    case 1:
        return shrink(p);
    case 2:
        return array(p);
    case 3:
        return nothing(p);
    case 4:
        return in_vain(p);
    default:
        free(p);
        return make();
    }
}

static void *worker(void *argument)
{
    unsigned place = (unsigned)(uintptr_t)argument;
    pthread_barrier_wait(&barrier);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        void *p;
        do
            place = (place + 1) % SLOTS;
        while (!(p = atomic_exchange(&slot[place], NULL))); /* four are out at most */
        slot[place] = one_turn(turn, p);
    }
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];
    int empty = 0;
    for (int i = 0; i < SLOTS; i++)
        slot[i] = make();
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, worker, (void *)i))
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++) {
        empty += !slot[i];
        free(slot[i]);
    }
    return empty ? 2 : 0;
}
