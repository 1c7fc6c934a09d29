/*
 * allocators.c - the same calls, whoever supplies malloc: glibc, or an allocator that is linked in.
 *
 * BUILD -O0 -fno-builtin -pthread -Wno-alloc-size-larger-than
 * PROGRAM allocators
 * PROGRAM allocators-jemalloc
 * PROGRAM allocators-tcmalloc
 * PROGRAM allocators-tcmalloc-full
 * PROGRAM allocators-mimalloc
 * VALGRIND no: it replaces the allocators by its own
 *
 * forms, once in main and once in a thread: 100 (malloc), 200 (calloc), 300 (realloc of null), grown to
 * 3000, 400 (posix_memalign), 512 (aligned_alloc), 77 (memalign), 77 (reallocarray), grown to 770, 31
 * (strdup, which is libc's): 9 allocations of 5436 bytes, and strdup's. All are released.
 * at_once: 1000 blocks of 1 to 1000 bytes, so 500500, released in main after the thread that made them is
 * gone. refused: three that fail. kept: 48.
 *
 * EXPECT forms self allocations 18
 * EXPECT forms self allocated_bytes 10872
 * EXPECT forms inclusive allocations 20
 * EXPECT forms inclusive allocated_bytes 10934
 * EXPECT forms inclusive live_at_end_blocks 0
 * EXPECT at_once self allocations 1000
 * EXPECT at_once self allocated_bytes 500500
 * EXPECT at_once self own_peak_bytes 500500
 * EXPECT at_once self live_at_end_blocks 0
 * EXPECT refused self absent 1
 * EXPECT keep self live_at_end_bytes 48
 * LEAK 1 48 keep main
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS 1000

static void *blocks[BLOCKS];
static void *kept;

static void *forms(void *unused)
{
    void *aligned = NULL, *made[9];
    made[0] = malloc(100);
    made[1] = calloc(10, 20);
    made[2] = realloc(realloc(NULL, 300), 3000);
    posix_memalign(&aligned, 64, 400);
    made[3] = aligned;
    made[4] = aligned_alloc(128, 512);
    made[5] = memalign(32, 77);
    made[6] = reallocarray(reallocarray(NULL, 11, 7), 110, 7);
    made[7] = strdup("a text with thirty characters.");
    made[8] = NULL;
    for (int i = 0; i < 9; i++)
        free(made[i]);
    return unused;
}

static void *at_once(void *unused)
{
    for (int i = 0; i < BLOCKS; i++)
        memset(blocks[i] = malloc(i + 1), 1, i + 1);
    return unused;
}

static int refused(void)
{
    volatile size_t huge = SIZE_MAX / 2 - 8192, many = SIZE_MAX / 4;
    errno = 0;
    return !malloc(huge) && errno == ENOMEM && !calloc(many, 8) && !reallocarray(NULL, many, 8);
}

static void keep(void)
{
    kept = malloc(48);
}

static int in_thread(void *(*function)(void *))
{
    pthread_t thread;
    return pthread_create(&thread, NULL, function, NULL) || pthread_join(thread, NULL);
}

int main(void)
{
    forms(NULL);
    if (in_thread(forms) || in_thread(at_once))
        return 1;
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    if (!refused())
        return 2;
    keep();
    return malloc_usable_size(kept) >= 48 ? 0 : 3;
}
