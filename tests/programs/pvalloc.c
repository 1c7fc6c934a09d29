/*
 * pvalloc.c - pvalloc counts what was asked for, not the page it becomes.
 *
 * BUILD -O0
 * VALGRIND no: it does not replace pvalloc
 *
 * EXPECT allocations 2
 * EXPECT frees 1
 * EXPECT allocated_bytes 5100
 * EXPECT peak_bytes 5100
 * EXPECT live_at_end_bytes 5000
 * EXPECT live_at_end_blocks 1
 * EXPECT temporary 0
 * EXPECT pages self own_peak_bytes 5100
 * EXPECT pages self allocations 2
 * LEAK 1 5000 pages main
 */
#include <malloc.h>
#include <stdlib.h>

static void *kept;

static void *pages(void)
{
    void *p = pvalloc(100);
    kept = pvalloc(5000);
    return p;
}

int main(void)
{
    free(pages());
    return kept ? 0 : 1;
}
