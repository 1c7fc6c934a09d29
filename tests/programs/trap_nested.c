/*
 * trap_nested.c - handlers that map and unmap strike all threads, also at their start and end, on small
 * stacks.
 *
 * BUILD -O0 -pthread
 * VALGRIND no: it serializes the threads
 *
 * A timer strikes the process at 5 kHz; the handler makes a mapping and drops it, wherever it interrupts.
 * Two threads each 50,000 times make and free a block of 24 (work) and keep every 1000th for main to
 * free; 500 threads on stacks of 32 KiB, one after the other, make and free one block of 40 (brief).
 * Nothing of that may be lost or counted twice.
 *
 * EXPECT work self allocations 100000
 * EXPECT work self live_at_end_blocks 0
 * EXPECT brief self allocations 500
 * EXPECT brief self live_at_end_blocks 0
 * EXPECT brief_main inclusive allocations 500
 * EXPECT worker inclusive allocations 100000
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>

#define TURNS 50000

static void *kept[2][TURNS / 1000];

static void handler(int unused)
{
    (void)unused;
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
}

static void *work(void)
{
    return malloc(24);
}

static void *worker(void *slots)
{
    for (int i = 0; i < TURNS; i++) {
        void *p = work();
        if (i % 1000)
            free(p);
        else
            ((void **)slots)[i / 1000] = p;
    }
    return NULL;
}

static void brief(void)
{
    free(malloc(40));
}

static void *brief_main(void *unused)
{
    brief();
    return unused;
}

int main(void)
{
    pthread_t thread[2], short_one;
    pthread_attr_t small;
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval t = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &t, NULL);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 32768);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread[i], NULL, worker, kept[i]))
            return 1;
    for (int i = 0; i < 500; i++)
        if (pthread_create(&short_one, &small, brief_main, NULL) || pthread_join(short_one, NULL))
            return 2;
    for (int i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < TURNS / 1000; n++)
            free(kept[i][n]);
    return 0;
}
