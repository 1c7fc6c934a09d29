/*
 * deep.c - a stack of ten thousand frames is kept whole.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * deep(10000) .. deep(1) and leaf above main: one leak whose stack has more than 10,000 frames. A
 * second block from the same depth, then one from the top: the walk of the unchanged part must not
 * lose anything. live: 30 + 40 by leaf, 50 by main.
 *
 * EXPECT allocations 3
 * EXPECT frees 0
 * EXPECT allocated_bytes 120
 * EXPECT peak_bytes 120
 * EXPECT live_at_end_blocks 3
 * EXPECT truncated_stacks 0
 * EXPECT leaf self own_peak_bytes 70
 * EXPECT deep self allocations 0
 * EXPECT deep inclusive allocations 2
 * EXPECT deep inclusive own_peak_bytes 70
 * EXPECT main inclusive own_peak_bytes 120
 */
#include <stdlib.h>

static void *kept[3];

static void leaf(void)
{
    kept[0] = malloc(30);
    kept[1] = malloc(40);
}

static void deep(int n)
{
    if (n > 1)
        deep(n - 1);
    else
        leaf();
}

int main(void)
{
    deep(10000);
    kept[2] = malloc(50);
    return kept[2] ? 0 : 1;
}
