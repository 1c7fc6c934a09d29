/*
 * bursts.c - many threads begin at the same moment and fill their first chunks at once.
 *
 * BUILD -O1 -pthread
 * VALGRIND no: each process is a report of its own there
 *
 * bursts: first in the process itself, then in each of 6 children, 24 threads wait for each other and then make
 * and free 2 * 2000 blocks each (pthread_create makes one more each, the first time: stacks are small, so libc keeps
 * them all). So chunks appear where a collector has just looked,
 * and where it has not come to yet: the second chunk of a stream may be seen before its first one. In the last child
 * half of the threads go on where others have ended. "bursts 2" has two children, and so on.
 *
 * EXPECT allocations 96024
 * EXPECT frees 96000
 * EXPECT child 1 allocations 96000
 * EXPECT child 1 frees 96000
 * EXPECT child 2 allocations 96000
 * EXPECT child 3 allocations 96000
 * EXPECT child 4 allocations 96000
 * EXPECT child 5 allocations 96000
 * EXPECT child 6 allocations 192000
 * EXPECT child 6 frees 192000
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 24, PAIRS = 2000, CHILDREN = 6 };

static pthread_barrier_t start;

static void *work(void *unused)
{
    pthread_barrier_wait(&start);
    for (int i = 0; i < PAIRS; i++) {
        void *volatile a = malloc(100 + (size_t)i % 50), *volatile b = malloc(10);
        free(a);
        free(b);
    }
    return unused;
}

static void burst(void)
{
    pthread_t thread[THREADS];
    pthread_attr_t small;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 << 10);
    pthread_barrier_init(&start, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], &small, work, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
    int children = argc > 1 ? atoi(argv[1]) : CHILDREN;

    burst();
    for (int i = 0; i < children; i++) {
        pid_t child = fork();
        if (child == 0) {
            burst();
            if (i == children - 1)
                burst();
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return 0;
}
