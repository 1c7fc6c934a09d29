/*
 * inlines.c - functions that the compiler folded into their caller still have their names.
 *
 * BUILD -O2
 * VALGRIND exact
 *
 * middle and leaf are inlined into outer, outer is a function of its own. 3 blocks of 100 bytes, kept.
 *
 * EXPECT allocations 3
 * EXPECT frees 0
 * EXPECT peak_bytes 300
 * EXPECT live_at_end_blocks 3
 * EXPECT leaf self own_peak_bytes 300
 * EXPECT leaf self live_at_end_blocks 3
 * EXPECT middle self own_peak_bytes 0
 * EXPECT middle inclusive own_peak_bytes 300
 * EXPECT outer self own_peak_bytes 0
 * EXPECT outer inclusive own_peak_bytes 300
 * EXPECT main inclusive own_peak_bytes 300
 * LEAK 3 300 leaf middle outer main
 */
#include <stdlib.h>

static void *volatile kept[3];

static inline __attribute__((always_inline)) void *leaf(size_t size)
{
    void *p = malloc(size);
    __asm__ volatile("" : "+r"(p)); /* the call must not become a tail call */
    return p;
}

static inline __attribute__((always_inline)) void *middle(size_t size)
{
    void *p = leaf(size * 10);
    __asm__ volatile("" : "+r"(p));
    return p;
}

static __attribute__((noinline)) void outer(int i)
{
    kept[i] = middle(10);
    __asm__ volatile("");
}

int main(void)
{
    for (int i = 0; i < 3; i++)
        outer(i);
    return kept[2] ? 0 : 1;
}
