/* boot_clock.c - CLOCK_BOOTTIME less our time namespace's offset. */
#include "boot_clock.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t offset_ns;

static void read_offset(void)
{
    long long seconds = 0, ns = 0;
    FILE *offsets = fopen("/proc/self/timens_offsets", "re");

    if (offsets == NULL)
        return;
    if (fscanf(offsets, "monotonic %*d %*d boottime %lld %lld", &seconds, &ns) == 2)
        offset_ns = seconds * 1000000000 + ns;
    fclose(offsets);
}

static int64_t offset(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, read_offset);
    return offset_ns;
}

uint64_t boot_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec - (uint64_t)offset();
}

uint64_t boot_clock_start_time(uint64_t as_read)
{
    return as_read - (uint64_t)(offset() / (1000000000 / sysconf(_SC_CLK_TCK)));
}
