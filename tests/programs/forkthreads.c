/*
 * forkthreads.c - a process forks while its other threads allocate.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: each process is a report of its own there
 *
 * Three threads exchange blocks of 64 bytes, with rests now and then (churn), while main forks 20 children: before
 * each it waits for the threads to have made 100 more. Each child frees the one block that main made for it and makes 5 of 10 bytes, freeing each at once. Which
 * blocks of the threads a child inherits is chance, that all its frees are matched is not.
 * main: 20 blocks of 1000 (give), which it frees as well.
 *
 * EXPECT give self allocations 20
 * EXPECT give self own_peak_bytes 1000
 * EXPECT give self live_at_end_blocks 0
 * EXPECT child 1 allocations 5
 * EXPECT child 1 frees 6
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 1 implied_frees 0
 * EXPECT child 20 allocations 5
 * EXPECT child 20 frees 6
 * EXPECT child 20 unmatched_frees 0
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic(void *) slot[8];
static atomic_int stop, made;

static void *churn(void *unused)
{
    (void)unused;
    for (unsigned i = 0; !stop; i++) {
        free(atomic_exchange(&slot[i % 8], malloc(64)));
        made++;
        if (i % 256 == 0)
            usleep(100);
    }
    return NULL;
}

static void *give(void)
{
    return malloc(1000);
}

static void await_churn(void)
{
    for (int enough = made + 100; made < enough;)
        usleep(50);
}

static void child(void *given)
{
    free(given);
    for (int i = 0; i < 5; i++)
        free(malloc(10));
    _exit(0);
}

int main(void)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, churn, NULL))
            return 1;
    for (int i = 0; i < 20; i++) {
        void *given = give();
        int status = 1;
        await_churn();
        pid_t pid = fork();
        if (pid == 0)
            child(given);
        if (waitpid(pid, &status, 0) != pid || status)
            return 2;
        free(given);
    }
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
