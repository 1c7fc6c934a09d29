/*
 * any_age.c - blocks of five sizes are freed at any age: a capture needs all its ways to say which one a free takes.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * 200 slots; 30,000 times one of them, drawn by lot, gets a new block in the place of its old one (put). Sizes are 16,
 * 32, 64, 128 or 256, by lot as well. At the end each slot has a block.
 *
 * EXPECT allocations 30000
 * EXPECT frees 29800
 * EXPECT allocated_bytes 2960064
 * EXPECT peak_bytes 23600
 * EXPECT live_at_end_bytes 20736
 * EXPECT live_at_end_blocks 200
 * EXPECT temporary 124
 */
#include <stdlib.h>

#define SLOTS 200

static void *slot[SLOTS];

static unsigned lot(void)
{
    static unsigned x = 1;
    x = x * 1103515245u + 12345u;
    return x >> 16;
}

static void put(unsigned number)
{
    void **p = &slot[number % SLOTS];
    free(*p);
    *p = malloc((size_t)16 << (number / SLOTS % 5));
}

int main(void)
{
    for (int i = 0; i < 30000; i++)
        put(lot());
    return 0;
}
