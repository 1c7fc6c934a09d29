/*
 * maps.c - mappings that are cut, joined, moved and mapped over.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * In pages of 4096 bytes, live after each step (the highest is 60):
 *    1 mmap a, 16                                   16
 *    2 munmap pages 12-15 of a (its end)            12
 *    3 munmap pages 4-5 of a (its middle)           10: a is [0,4) and [6,12)
 *    4 mmap 8 fixed over pages 0-7 of a             12: over 4 and 2 live ones and a hole of 2: 10 - 6 + 8
 *    5 munmap pages 0-11 of a, over both maps        0
 *    6 mmap b, 20                                   20
 *    7 mremap b to 30, may move                     30: exchanged, never 50
 *    8 mremap b to 10 (shrinks in place)            10
 *    9 mmap c, 40                                   50
 *   10 mmap d, 10                                   60
 *   11 mremap b (10) fixed onto the first 10 of c   50: 60 - 10 (of c) - 10 (old b) + 10
 *   12 a munmap that fails (odd address)            50
 *   13 a mremap that fails (of nothing)             50
 *   14 munmap all of c's range                      10
 *   d stays: 10 pages at the end. No event in the heap.
 *
 * EXPECT allocations 0
 * EXPECT frees 0
 * EXPECT peak_bytes 0
 * EXPECT mapped_peak_bytes 245760
 */
#include <stddef.h>
#include <sys/mman.h>

#define PAGE 4096ul

static char *map(void *where, size_t pages, int flags)
{
    return mmap(where, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
                -1, 0);
}

static int cut(void)
{
    char *a = map(NULL, 16, 0);
    if (a == MAP_FAILED || munmap(a + 12 * PAGE, 4 * PAGE) || munmap(a + 4 * PAGE, 2 * PAGE))
        return 1;
    if (map(a, 8, MAP_FIXED) != a)
        return 1;
    return munmap(a, 12 * PAGE);
}

static char *moved(void)
{
    char *b = map(NULL, 20, 0);
    b = mremap(b, 20 * PAGE, 30 * PAGE, MREMAP_MAYMOVE);
    return mremap(b, 30 * PAGE, 10 * PAGE, 0);
}

static int over(char *b)
{
    char *c = map(NULL, 40, 0);
    if (map(NULL, 10, 0) == MAP_FAILED)
        return 1;
    if (mremap(b, 10 * PAGE, 10 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, c) != c)
        return 1;
    if (munmap(c + 1, PAGE) == 0)
        return 1;
    if (mremap((void *)(1ul << 46), PAGE, 2 * PAGE, MREMAP_MAYMOVE) != MAP_FAILED)
        return 1;
    return munmap(c, 40 * PAGE);
}

int main(void)
{
    if (cut())
        return 1;
    char *b = moved();
    if (b == MAP_FAILED)
        return 2;
    return over(b) ? 3 : 0;
}
