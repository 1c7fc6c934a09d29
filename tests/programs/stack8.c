/*
 * stack8.c - a stack that is aligned to 8 bytes only, which the ABI forbids and old compilers' code does.
 *
 * BUILD -O0 -mpreferred-stack-boundary=3
 *
 * At 16 depths, so on stacks of either alignment, a block of 24 bytes is made, another of 8 times 5
 * zeroed, and the first made 100 bytes long; both are freed. Each is an allocation and a free.
 *
 * EXPECT allocations 48
 * EXPECT frees 48
 * EXPECT live_at_end_blocks 0
 * EXPECT peak_bytes 140
 * EXPECT descend inclusive allocations 48
 */
#include <stdint.h>
#include <stdlib.h>

static int seen;

static void work(void)
{
    seen |= (uintptr_t)__builtin_frame_address(0) & 8 ? 1 : 2;
    void *p = malloc(24), *q = calloc(8, 5);
    p = realloc(p, 100);
    free(q);
    free(p);
}

/* Its frame is an odd number of words. */
static void descend(long depth)
{
    if (depth > 0)
        descend(depth - 1);
    else
        work();
}

int main(void)
{
    for (int depth = 0; depth < 16; depth++)
        descend(depth);
    return seen == 3 ? 0 : 1; /* both have been there */
}
