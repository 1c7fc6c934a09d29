/*
 * exchange.c - four threads pass blocks round as fast as they can.
 *
 * BUILD -O2 -pthread
 * VALGRIND threads 4
 *
 * Each thread 50,000 times takes a block out of a shared slot, putting a new one there, and either
 * frees it or reallocs it and frees that: addresses are used again at once, also by another thread
 * while the realloc that let go of them still runs. What each address means in what order is the
 * collector's to find: no free is unmatched and none implied.
 * main fills the slots first, so that every turn finds a block, and empties them at the end.
 *   make:  16 + 4 * 50,000 allocations; renew: 4 * 25,000. 4 thread vectors.
 * "exchange 1000" takes 1,000 turns a thread.
 *
 * EXPECT allocations 300020
 * EXPECT frees 300016
 * EXPECT make self allocations 200016
 * EXPECT make self live_at_end_blocks 0
 * EXPECT renew self allocations 100000
 * EXPECT renew self live_at_end_blocks 0
 * EXPECT live_at_end_blocks 4
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS 4
#define SLOTS   16

static unsigned turns = 50000; /* of each thread */
static _Atomic(void *) slot[SLOTS];
static pthread_barrier_t barrier;

static __attribute__((noinline)) void *make(unsigned turn)
{
    void *p = malloc(16 + turn % 64);
    __asm__ volatile("" : "+r"(p));
    return p;
}

static __attribute__((noinline)) void *renew(void *p)
{
    p = realloc(p, 200);
    __asm__ volatile("" : "+r"(p));
    return p;
}

static void *worker(void *argument)
{
    pthread_barrier_wait(&barrier);
    for (unsigned turn = 0; turn < turns; turn++) {
        void *p = atomic_exchange(&slot[(turn * 7 + (unsigned)(long)argument) % SLOTS], make(turn));
        if (turn % 2)
            p = renew(p);
        free(p);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    if (argc > 1 && atoi(argv[1]) > 0)
        turns = (unsigned)atoi(argv[1]);
    for (unsigned i = 0; i < SLOTS; i++)
        slot[i] = make(i);
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, worker, (void *)i))
            return 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < SLOTS; i++)
        free(slot[i]);
    return 0;
}
