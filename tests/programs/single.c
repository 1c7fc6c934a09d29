/*
 * single.c - one thread: own peaks, the moment of the peak, temporaries, a leak.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 *                      live before   its own highest   live after
 *   rows               0             10 x 100 = 1000   0            10 allocations, 10 frees
 *   temporaries        0             50                0            5 allocations, 5 frees
 *   hold               0             3000 + 2000       5000         2 allocations
 *   summit             5000          700: the peak is 5700          1 allocation, 1 free
 *   main frees the 3000; 2000 stay.
 *
 * rows frees in the order of allocation, so the event after its last malloc is the free of another
 * block: no temporary. temporaries makes 5 and summit 1.
 *
 * EXPECT allocations 18
 * EXPECT frees 17
 * EXPECT allocated_bytes 6950
 * EXPECT peak_bytes 5700
 * EXPECT live_at_end_bytes 2000
 * EXPECT live_at_end_blocks 1
 * EXPECT temporary 6
 * EXPECT inherited 0
 * EXPECT truncated_stacks 0
 * EXPECT rows self allocations 10
 * EXPECT rows self allocated_bytes 1000
 * EXPECT rows self own_peak_bytes 1000
 * EXPECT rows self at_peak_bytes 0
 * EXPECT rows self temporary 0
 * EXPECT rows self live_at_end_blocks 0
 * EXPECT temporaries self own_peak_bytes 50
 * EXPECT temporaries self allocated_bytes 250
 * EXPECT temporaries self temporary 5
 * EXPECT hold self own_peak_bytes 5000
 * EXPECT hold self at_peak_bytes 5000
 * EXPECT hold self live_at_end_bytes 2000
 * EXPECT hold self live_at_end_blocks 1
 * EXPECT summit self own_peak_bytes 700
 * EXPECT summit self at_peak_bytes 700
 * EXPECT summit self temporary 1
 * EXPECT main self allocations 0
 * EXPECT main self own_peak_bytes 0
 * EXPECT main inclusive allocations 18
 * EXPECT main inclusive allocated_bytes 6950
 * EXPECT main inclusive own_peak_bytes 5700
 * EXPECT main inclusive at_peak_bytes 5700
 * EXPECT main inclusive temporary 6
 * EXPECT malloc self absent 1
 * EXPECT calloc self absent 1
 * LEAK 1 2000 hold main
 */
#include <stdlib.h>
#include <unistd.h>

static void rows(void)
{
    void *row[10];
    for (int i = 0; i < 10; i++)
        row[i] = malloc(100);
    for (int i = 0; i < 10; i++)
        free(row[i]);
}

static void temporaries(void)
{
    for (int i = 0; i < 5; i++)
        free(malloc(50));
}

static void *hold(void)
{
    static void *kept;
    void *given = malloc(3000);
    kept = calloc(20, 100);
    (void)kept;
    return given;
}

static void summit(void)
{
    free(malloc(700));
}

int main(void)
{
    rows();
    temporaries();
    void *given = hold();
    summit();
    free(given);
    free(NULL); /* no event */
    write(1, "done\n", 5);
    return 0;
}
