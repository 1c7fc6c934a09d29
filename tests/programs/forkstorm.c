/*
 * forkstorm.c - forks by the thousand, while threads allocate; each child a process of the recording.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: each process is a report of its own there
 * ARGUMENTS 1000
 *
 * Three threads make and free blocks of 64 bytes (churn), while main forks as many children as the argument says.
 * For each main makes 1 block of 1000 (give), which the child frees, and then main. A child makes and frees 5
 * of 10; each hundredth goes on: it forks one that makes and frees 2 of 30, and makes and frees 2,000 of 20 itself.
 *
 * EXPECT give self allocations 1000
 * EXPECT give self own_peak_bytes 1000
 * EXPECT give self live_at_end_blocks 0
 * EXPECT child 1 allocations 5
 * EXPECT child 1 frees 6
 * EXPECT child 1 lost 0
 * EXPECT child 1 unmatched_frees 0
 * EXPECT child 1 implied_frees 0
 * EXPECT child 100 allocations 2005
 * EXPECT child 100 frees 2006
 * EXPECT child 100 unmatched_frees 0
 * EXPECT child 101 allocations 2
 * EXPECT child 101 frees 2
 * EXPECT child 1008 allocations 5
 * EXPECT child 1009 allocations 2005
 * EXPECT child 1010 allocations 2
 * EXPECT child 1010 frees 2
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static _Atomic(void *) slot[8];
static atomic_int stop;

static void *churn(void *unused)
{
    for (unsigned i = 0; !stop; i++) {
        free(atomic_exchange(&slot[i % 8], malloc(64)));
        if (i % 8 == 0)
            usleep(1000);
    }
    return unused;
}

static void *give(void)
{
    return malloc(1000);
}

static void make_and_free(int times, size_t bytes)
{
    for (int i = 0; i < times; i++)
        free(malloc(bytes));
}

static int ended_well(pid_t child)
{
    int status = 1;
    return waitpid(child, &status, 0) == child && status == 0;
}

static int child(void *given, int goes_on)
{
    free(given);
    make_and_free(5, 10);
    if (!goes_on)
        return 0;
    pid_t pid = fork();
    if (pid == 0) {
        make_and_free(2, 30);
        _exit(0);
    }
    make_and_free(2000, 20);
    return !ended_well(pid);
}

int main(int argc, char **argv)
{
    pthread_t threads[3];
    int forks = argc > 1 ? atoi(argv[1]) : 10;
    for (int i = 0; i < 3; i++)
        if (pthread_create(&threads[i], NULL, churn, NULL))
            return 1;
    for (int i = 1; i <= forks; i++) {
        void *given = give();
        pid_t pid = fork();
        if (pid == 0)
            _exit(child(given, i % 100 == 0));
        if (pid < 0 || !ended_well(pid))
            return 2;
        free(given);
    }
    stop = 1;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
