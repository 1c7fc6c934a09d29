/*
 * recursion.c - a function on the stack many times is counted once.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * descend(99) .. descend(0) hold 10 bytes each, 1000 at the deepest, self and inclusive alike. The
 * innermost block is freed at once: 1 temporary.
 * even(9) calls odd(8) calls even(7) ..: ten frames of 16 bytes. even is in all ten stacks: 160
 * inclusive, 80 self. odd is in all but the outermost's: 144 inclusive, 80 self. 1 temporary.
 * The peak is descend's 1000.
 *
 * EXPECT allocations 110
 * EXPECT frees 110
 * EXPECT allocated_bytes 1160
 * EXPECT peak_bytes 1000
 * EXPECT live_at_end_blocks 0
 * EXPECT temporary 2
 * EXPECT descend self allocations 100
 * EXPECT descend self own_peak_bytes 1000
 * EXPECT descend inclusive allocations 100
 * EXPECT descend inclusive allocated_bytes 1000
 * EXPECT descend inclusive own_peak_bytes 1000
 * EXPECT descend inclusive at_peak_bytes 1000
 * EXPECT descend inclusive temporary 1
 * EXPECT even self allocations 5
 * EXPECT even self own_peak_bytes 80
 * EXPECT even inclusive allocations 10
 * EXPECT even inclusive own_peak_bytes 160
 * EXPECT even inclusive at_peak_bytes 0
 * EXPECT odd self own_peak_bytes 80
 * EXPECT odd inclusive allocations 9
 * EXPECT odd inclusive own_peak_bytes 144
 * EXPECT odd inclusive temporary 1
 */
#include <stdlib.h>

static void descend(int depth)
{
    void *p = malloc(10);
    if (depth > 0)
        descend(depth - 1);
    free(p);
}

static void odd(int depth);

static void even(int depth)
{
    void *p = malloc(16);
    if (depth > 0)
        odd(depth - 1);
    free(p);
}

static void odd(int depth)
{
    void *p = malloc(16);
    if (depth > 0)
        even(depth - 1);
    free(p);
}

int main(void)
{
    descend(99);
    even(9);
    return 0;
}
