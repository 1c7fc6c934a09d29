/*
 * realloc.c - growth and shrinking, realloc(NULL, n) and realloc(p, 0).
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * A successful realloc is an allocation and, of an old block, a free, exchanged as one step: old and
 * new bytes are never both live. Its releasing half makes nothing temporary, its allocating half is
 * a block like any other.
 *
 *             allocations                       frees   highest   temporary
 *   grow      100 200 400 800 1600 (5)          4       1600      0
 *   shrink    50 (1)                            1                 1: main frees it at once
 *   main                                        1
 *   from_null realloc(NULL, 64) (1)             0       64        0: the next event is a realloc
 *   to_nothing realloc(p, 0)                    1
 *   nothing   malloc(0) (1), realloc(NULL, 0) (1), both kept     0 bytes
 *
 * Sum: 9 allocations, 7 frees, 100+200+400+800+1600+50+64 = 3214 bytes.
 *
 * EXPECT allocations 9
 * EXPECT frees 7
 * EXPECT allocated_bytes 3214
 * EXPECT peak_bytes 1600
 * EXPECT live_at_end_bytes 0
 * EXPECT live_at_end_blocks 2
 * EXPECT temporary 1
 * EXPECT grow self allocations 5
 * EXPECT grow self own_peak_bytes 1600
 * EXPECT grow self at_peak_bytes 1600
 * EXPECT grow self temporary 0
 * EXPECT shrink self allocations 1
 * EXPECT shrink self own_peak_bytes 50
 * EXPECT shrink self temporary 1
 * EXPECT from_null self own_peak_bytes 64
 * EXPECT from_null self temporary 0
 * EXPECT nothing self allocations 2
 * EXPECT nothing self live_at_end_blocks 2
 * EXPECT nothing self live_at_end_bytes 0
 * EXPECT realloc self absent 1
 */
#include <stdlib.h>

static void *grow(void)
{
    char *p = malloc(100);
    for (size_t size = 200; size <= 1600; size *= 2)
        p = realloc(p, size);
    return p;
}

static void *shrink(void *p)
{
    return realloc(p, 50);
}

static void *from_null(void)
{
    return realloc(NULL, 64);
}

static void *to_nothing(void *p)
{
    return realloc(p, 0);
}

static void *kept[2];

static void nothing(void)
{
    kept[0] = malloc(0);
    kept[1] = realloc(NULL, 0);
}

int main(void)
{
    free(shrink(grow()));
    if (to_nothing(from_null()))
        return 1;
    nothing();
    return kept[0] && kept[1] ? 0 : 1;
}
