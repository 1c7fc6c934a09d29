/* sample.c - /proc/self/statm, names and ended threads at the pace of the host's events. */
#include "sample.h"
#include "chunk.h"
#include "init.h"
#include "record.h"
#include "sys.h"

#include <unistd.h>

uint64_t sample_next = UINT64_MAX;
static uint64_t interval, next_ns, first_ns;
static int is_sampling;
static uint32_t taking; /* 1 while somebody is at it */

#define INTERVAL_WITHOUT_SAMPLES 100000000u  /* ns */
#define SAMPLER_COMES            1000000000u /* ns, at most, after the start */

void sample_start(uint64_t interval_ns, int has_sampler)
{
    is_sampling = interval_ns != 0;
    first_ns = has_sampler ? spool.header->start.ns + SAMPLER_COMES : 0;
    interval = is_sampling ? interval_ns : INTERVAL_WITHOUT_SAMPLES;
    __atomic_store_n(&sample_next, 0, __ATOMIC_RELAXED);
}

/* Another thread of the parent's may have been at it. */
void sample_after_fork(void)
{
    taking = 0;
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

/* A collector that is at work is mprof-c run's, which samples, too. */
static int is_due_to_us(struct spool_moment now)
{
    return is_sampling && now.ns >= first_ns && sys_may(SYS_KIND_FILES) &&
           !__atomic_load_n(&spool.control->collector_pid, __ATOMIC_RELAXED);
}

static void do_all(struct spool_moment now)
{
    uint64_t bytes = is_due_to_us(now) ? resident_bytes() : 0;
    next_ns = now.ns + interval;
    if (bytes)
        record_sample(bytes);
    record_name();
    thread_tend();
}

/* Signals are held back: a handler that jumps away would leave it taken for ever. */
void sample_take(void)
{
    if (__atomic_load_n(&taking, __ATOMIC_RELAXED))
        return;
    struct sys_held held = sys_hold_signals();
    if (!__atomic_exchange_n(&taking, 1, __ATOMIC_ACQUIRE)) {
        POINT("sampling");
        struct spool_moment now = init_now();
        if (now.ns >= next_ns)
            do_all(now);
        __atomic_store_n(&sample_next, now.ticks + ticks_ahead(now), __ATOMIC_RELAXED);
        __atomic_store_n(&taking, 0, __ATOMIC_RELEASE);
    }
    sys_release_signals(held);
}
