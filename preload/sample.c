/* sample.c - /proc/self/statm at the pace of the host's events. */
#include "sample.h"
#include "chunk.h"
#include "init.h"
#include "record.h"
#include "sys.h"

#include <unistd.h>

uint64_t sample_next = UINT64_MAX;
static uint64_t interval, next_ns;
static uint32_t taking; /* 1 while somebody samples */

void sample_start(uint64_t interval_ns)
{
    interval = interval_ns;
    if (interval)
        __atomic_store_n(&sample_next, 0, __ATOMIC_RELAXED);
}

static uint64_t resident_bytes(void)
{
    char text[128];
    const char *p = text;
    uint64_t pages = 0;
    if (!sys_read_file("/proc/self/statm", text, sizeof text))
        return 0;
    while (*p && *p != ' ')
        p++;
    for (p += *p == ' '; *p >= '0' && *p <= '9'; p++)
        pages = pages * 10 + (uint64_t)(*p - '0');
    return pages * SPOOL_PAGE;
}

/* How long until the interval has passed, in ticks, by the rate since the start. */
static uint64_t ticks_ahead(struct spool_moment now)
{
    struct spool_moment start = spool.header->start;
    uint64_t ns = now.ns - start.ns, ticks = now.ticks - start.ticks;
    uint64_t left = next_ns > now.ns ? next_ns - now.ns : 0;
    if (ns < 1000000) /* too short to tell: look again in about a millisecond */
        return 1000000;
    return (uint64_t)((unsigned __int128)left * ticks / ns) + 1;
}

void sample_take(void)
{
    if (!sys_may(SYS_KIND_FILES)) {
        sample_next = UINT64_MAX;
        return;
    }
    if (__atomic_exchange_n(&taking, 1, __ATOMIC_ACQUIRE))
        return;
    struct spool_moment now = init_now();
    if (now.ns >= next_ns) {
        uint64_t bytes = resident_bytes();
        next_ns = now.ns + interval;
        if (bytes)
            record_sample(now.ns, bytes);
        record_name();
        thread_tend();
    }
    __atomic_store_n(&sample_next, now.ticks + ticks_ahead(now), __ATOMIC_RELAXED);
    __atomic_store_n(&taking, 0, __ATOMIC_RELEASE);
}
