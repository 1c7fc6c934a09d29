/*
 * trap_threads.c - 500 threads at once on the smallest stacks, and 20,000 that hardly live.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: the thread vectors of cached stacks are compared elsewhere
 *
 * The 500 each hold a block of 32 (crowd) until all are there. Of the 20,000 each makes a block of 16
 * (brief) and frees it; every other one has the C library free a text behind the last destructor.
 * test_trap_host.sh looks at the size of the spool.
 *
 * EXPECT crowd self allocations 500
 * EXPECT crowd self own_peak_bytes 16000
 * EXPECT crowd self live_at_end_blocks 0
 * EXPECT brief self allocations 20000
 * EXPECT brief self live_at_end_blocks 0
 * EXPECT short_main inclusive live_at_end_blocks 0
 */
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CROWD 500
#define BRIEF 20000

static pthread_barrier_t all;

static void crowd(void)
{
    void *p = malloc(32);
    pthread_barrier_wait(&all);
    free(p);
}

static void brief(void)
{
    free(malloc(16));
}

static void *crowd_main(void *unused)
{
    crowd();
    return unused;
}

static void *short_main(void *argument)
{
    brief();
    if (argument)
        return strerror(12345) ? argument : NULL;
    return NULL;
}

int main(void)
{
    static pthread_t thread[CROWD];
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(
        &small, sysconf(_SC_THREAD_STACK_MIN) > 16384 ? sysconf(_SC_THREAD_STACK_MIN) : 16384);
    pthread_barrier_init(&all, NULL, CROWD);
    for (int i = 0; i < CROWD; i++)
        if (pthread_create(&thread[i], &small, crowd_main, NULL))
            return 1;
    for (int i = 0; i < CROWD; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < BRIEF; i++)
        if (pthread_create(&thread[0], &small, short_main, i % 2 ? thread : NULL) ||
            pthread_join(thread[0], NULL))
            return 2;
    return 0;
}
