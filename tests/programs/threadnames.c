/*
 * threadnames.c - threads that get their names in every way there is, and whose blocks others free.
 *
 * BUILD -O0 -pthread
 * VALGRIND threads 4
 *
 * main makes the 4 threads' vectors and a block of 500, and is called "threadnames". Each thread first makes and
 * frees a block of 10 under main's name (before), then is called
 *   by prctl         "by prctl", makes 3 of 100 (hold)
 *   by itself        "by itself", makes 2 of 200
 *   by main          "by main": makes 1 of 300 before main gives it the name, and nothing after
 *   renamed          "first", makes 1 of 400, and then "renamed at last"
 * main frees all these blocks when all threads hold theirs.
 *
 * EXPECT allocations 16
 * EXPECT frees 12
 * EXPECT thread by\_prctl allocations 4
 * EXPECT thread by\_prctl own_peak_bytes 300
 * EXPECT thread by\_prctl live_at_end_blocks 0
 * EXPECT thread by\_prctl temporary 1
 * EXPECT thread by\_itself allocations 3
 * EXPECT thread by\_itself own_peak_bytes 400
 * EXPECT thread by\_main allocated_bytes 310
 * EXPECT thread by\_main live_at_end_bytes 0
 * EXPECT thread renamed\_at\_last own_peak_bytes 400
 * EXPECT thread renamed\_at\_last live_at_end_bytes 0
 * EXPECT thread threadnames allocations 5
 * EXPECT thread threadnames live_at_end_blocks 4
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>

#define THREADS 4

static void *kept[THREADS][3];
static pthread_barrier_t hold_all, named, gone;

static void before(void)
{
    free(malloc(10));
}

static void hold(int thread, int count, size_t bytes)
{
    for (int i = 0; i < count; i++)
        kept[thread][i] = malloc(bytes);
}

static void *by_prctl(void *nothing)
{
    before();
    prctl(PR_SET_NAME, "by prctl");
    hold(0, 3, 100);
    pthread_barrier_wait(&hold_all);
    return nothing;
}

static void *by_itself(void *nothing)
{
    before();
    pthread_setname_np(pthread_self(), "by itself");
    hold(1, 2, 200);
    pthread_barrier_wait(&hold_all);
    return nothing;
}

static void *by_main(void *nothing)
{
    before();
    hold(2, 1, 300);
    pthread_barrier_wait(&hold_all);
    pthread_barrier_wait(&named);
    pthread_barrier_wait(&gone); /* main exits while this thread lives */
    return nothing;
}

static void *renamed(void *nothing)
{
    before();
    pthread_setname_np(pthread_self(), "first");
    hold(3, 1, 400);
    pthread_setname_np(pthread_self(), "renamed at last");
    pthread_barrier_wait(&hold_all);
    return nothing;
}

int main(void)
{
    void *(*const functions[THREADS])(void *) = {by_prctl, by_itself, by_main, renamed};
    pthread_t threads[THREADS];

    free(malloc(500));
    pthread_barrier_init(&hold_all, NULL, THREADS + 1);
    pthread_barrier_init(&named, NULL, 2);
    pthread_barrier_init(&gone, NULL, 2);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, functions[i], NULL);
    pthread_barrier_wait(&hold_all);
    pthread_setname_np(threads[2], "by main");
    pthread_barrier_wait(&named);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < 3; k++)
            free(kept[i][k]);
    return 0;
}
