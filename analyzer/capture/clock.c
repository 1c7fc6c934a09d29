/* clock.c - ticks to nanoseconds. */
#include "clock.h"
#include "boot_clock.h"
#include "counter.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SPAN_GOOD_NS   50000000u   /* pairs this far apart give a good rate */
#define JUMP_NS        50000000.0  /* a suspend, not a preemption */
#define MEASURE_NS     2000000u    /* a pair is good to some 50 ns */
#define MEASURE_MAX_NS 1000000000u /* a suspend may lie in a longer time */
#define PAIRS          8           /* of readings, the best of which counts */
#define RATE_MIN       0.001
#define RATE_MAX       1000.0

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is this the machine's current boot? */
static int is_this_boot(const uint8_t *boot_id)
{
    char text[64];
    uint8_t id[SPOOL_ID_BYTES] = {0};
    size_t digits = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);

    if (fd >= 0)
        close(fd);
    for (ssize_t i = 0; i < n && digits < 2 * sizeof id; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            continue;
        id[digits / 2] = (uint8_t)(id[digits / 2] << 4 | digit);
        digits++;
    }
    return digits == 2 * sizeof id && memcmp(id, boot_id, sizeof id) == 0;
}

/* Both clocks at one moment. The thread may lose the processor between the two readings; of several
 * pairs the one that was read in the shortest time is right. */
static struct spool_moment pair_now(void)
{
    struct spool_moment best = {0, 0};
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < PAIRS; i++) {
        uint64_t before = counter_now(), ns = boot_clock_ns(), taken = counter_now() - before;
        if (taken < shortest) {
            shortest = taken;
            best = (struct spool_moment){before + taken / 2, ns};
        }
    }
    return best;
}

void clock_init(struct clock *clock, const struct spool_header *header)
{
    memset(clock, 0, sizeof *clock);
    clock->is_counter = header->clock == SPOOL_CLOCK_COUNTER;
    clock->is_here = is_this_boot(header->boot_id) && header->machine == COUNTER_MACHINE;
    if (clock->is_here)
        clock->here = pair_now();
    clock->start = clock->farthest = header->start;
    clock->anchor = (struct spool_moment){header->start.ticks, 0};
    clock->rate = clock->is_counter ? 0 : 1;
}

/* Changes the rate from the last event's time on. */
static void set_rate(struct clock *clock, double rate)
{
    if (rate < RATE_MIN || rate > RATE_MAX)
        return;
    if (clock->rate > 0) { /* events already have times */
        uint64_t ticks = clock->anchor.ticks;
        if (clock->last > clock->anchor.ns)
            ticks += (uint64_t)((double)(clock->last - clock->anchor.ns) / clock->rate);
        clock->anchor = (struct spool_moment){ticks, clock_at(clock, ticks)};
    }
    clock->rate = rate;
}

static double rate_of(struct spool_moment from, struct spool_moment to)
{
    if (to.ticks <= from.ticks || to.ns <= from.ns)
        return 0;
    return (double)(to.ns - from.ns) / (double)(to.ticks - from.ticks);
}

void clock_learn(struct clock *clock, struct spool_moment pair)
{
    if (!clock->is_counter || pair.ns <= clock->farthest.ns || pair.ticks <= clock->farthest.ticks)
        return;
    clock->farthest = pair;
    uint64_t span = pair.ns - clock->start.ns;
    double rate = rate_of(clock->start, pair);
    if (span < SPAN_GOOD_NS || span < 2 * clock->rate_span)
        return;
    int is_known = clock->rate_span > 0 || clock->is_here;
    if (is_known && clock->rate > 0 && (rate > clock->rate * 1.01 || rate < clock->rate * 0.99))
        return; /* a suspend lies in between */
    set_rate(clock, rate);
    clock->rate_span = span;
}

/* The counter's rate on this machine: also the spool's, if it was recorded since the last boot. */
static double measure_rate(struct spool_moment from)
{
    struct spool_moment to = pair_now();
    if (to.ns - from.ns > MEASURE_MAX_NS)
        from = to;
    struct timespec rest = {.tv_nsec = (long)MEASURE_NS};
    if (to.ns - from.ns < MEASURE_NS) {
        clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
        to = pair_now();
    }
    return rate_of(from, to);
}

void clock_settle(struct clock *clock)
{
    if (clock->rate > 0)
        return;
    if (clock->is_here)
        set_rate(clock, measure_rate(clock->here));
    else
        set_rate(clock, rate_of(clock->start, clock->farthest));
    if (clock->rate <= 0)
        clock->rate = 1; /* nothing is known; most counters are within a factor of 4 of this */
}

void clock_pair(struct clock *clock, struct spool_moment pair)
{
    if (!clock->is_counter || pair.ns < clock->start.ns)
        return;
    clock_learn(clock, pair);
    if (pair.ticks < clock->anchor.ticks)
        return;
    double line = (double)clock->anchor.ns +
                  (double)(int64_t)(pair.ticks - clock->anchor.ticks) * clock->rate;
    double error = (double)(pair.ns - clock->start.ns) - line;
    double follow = error > JUMP_NS || error < -JUMP_NS ? error : error / 8;
    clock->anchor = (struct spool_moment){pair.ticks, clock_from_double(line + follow)};
}

uint64_t clock_now(const struct clock *clock)
{
    if (!clock->is_counter)
        return boot_clock_ns();
    return clock->is_here ? counter_now() : UINT64_MAX / 2;
}

uint64_t clock_millisecond(const struct clock *clock)
{
    return clock->rate > 0 ? clock_from_double(1e6 / clock->rate) : 0;
}
