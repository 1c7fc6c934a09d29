/*
 * guest.c - the recorder is a guest: errno, descriptors, limits and locked memory are as without it.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * errno survives every kind of call; the lowest free descriptor is 3 (printed, so that a plain run and a
 * recorded one are compared); then all descriptors from 3 on are closed, the folder is left, files may
 * not grow past 4096 bytes and all memory to come is locked. After that 50,000 blocks of 24 bytes are
 * made (many) and freed in order: a spool that has to grow meanwhile. errnos makes 3 and a realloc.
 *
 * EXPECT allocations 50004
 * EXPECT frees 50004
 * EXPECT live_at_end_blocks 0
 * EXPECT peak_bytes 1200000
 * EXPECT many self allocations 50000
 * EXPECT many self own_peak_bytes 1200000
 * EXPECT errnos self allocations 4
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define MANY 50000

static void *block[MANY];

static int errnos(void)
{
    errno = 77;
    void *a = malloc(10), *b = calloc(2, 10), *c = NULL;
    int good = errno == 77 && posix_memalign(&c, 64, 10) == 0 && errno == 77;
    a = realloc(a, 5000);
    free(a);
    free(b);
    free(c);
    void *map = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return good && munmap(map, 8192) == 0 && errno == 77;
}

static void many(void)
{
    for (int i = 0; i < MANY; i++)
        block[i] = malloc(24);
}

int main(void)
{
    if (!errnos())
        return 1;
    char text[40]; /* stdio would allocate */
    int lowest = open("/dev/null", O_RDONLY);
    write(1, text, (size_t)snprintf(text, sizeof text, "lowest descriptor %d\n", lowest));
    closefrom(3);
    struct rlimit small = {4096, 4096};
    if (chdir("/") || setrlimit(RLIMIT_FSIZE, &small))
        return 2;
    mlockall(MCL_CURRENT | MCL_FUTURE); /* what a user may not lock stays as it is */
    many();
    for (int i = 0; i < MANY; i++)
        free(block[i]);
    return 0;
}
