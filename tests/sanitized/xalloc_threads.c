/* xalloc_threads.c - the analyzer's memory from two threads while the heap grows, for
 * ThreadSanitizer: run collects in one thread and samples in another. */
#include "xalloc.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 200
#define GROWTH (4 << 20) /* more than a huge page; nobody touches it */

/* ThreadSanitizer's malloc does not use the heap that brk ends, so it grows here. */
static void *grow(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        if (sbrk(GROWTH) == (void *)-1)
            return "sbrk";
        free(xmalloc(64));
    }
    return NULL;
}

int main(void)
{
    pthread_t other;
    void *failed[2];
    xalloc_huge_pages();
    if (pthread_create(&other, NULL, grow, NULL) != 0)
        return 1;
    failed[0] = grow(NULL);
    pthread_join(other, &failed[1]);
    if (failed[0] || failed[1])
        fputs("the heap cannot grow\n", stderr);
    return failed[0] || failed[1];
}
