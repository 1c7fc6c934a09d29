/* init_time.c - the clocks of events: the processor's counter, and CLOCK_BOOTTIME beside it. */
#include "init.h"
#include "sys.h"
#include "vdso.h"

int init_counter_serves;
static int use_counter;

void init_time_start(int uses_counter)
{
    use_counter = uses_counter;
    init_time_changed();
}

int init_uses_counter(void)
{
    return use_counter;
}

/* Once the time may not be read any more it stands still, but later events get later ticks. */
static struct spool_moment frozen;

void init_freeze_time(void)
{
    frozen = init_now();
}

/* Repeats it where another thread has changed it meanwhile. */
void init_time_changed(void)
{
    int may;
    do {
        may = sys_may(SYS_KIND_TIME);
        __atomic_store_n(&init_counter_serves, use_counter && may, __ATOMIC_RELAXED);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } while (may != sys_may(SYS_KIND_TIME));
}

uint64_t init_ticks_slow(void)
{
    if (!sys_may(SYS_KIND_TIME))
        return __atomic_add_fetch(&frozen.ticks, 1, __ATOMIC_RELAXED);
    if (use_counter)
        return arch_ticks();
    return vdso_boottime_ns();
}

#define PAIR_TRIES 4
#define PAIR_NEAR  4096 /* ticks: about a microsecond, in which both clocks are read mostly */

/* Another program may get the processor between the two readings. Then the pair says nothing, and
 * they are read again. */
struct spool_moment init_now(void)
{
    struct spool_moment best = {.ticks = init_ticks(), .ns = frozen.ns};
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < PAIR_TRIES && shortest > PAIR_NEAR && sys_may(SYS_KIND_TIME); i++) {
        uint64_t before = init_ticks(), ns = vdso_boottime_ns(), taken = init_ticks() - before;
        if (taken < shortest) {
            shortest = taken;
            best = (struct spool_moment){before + taken / 2, ns};
        }
    }
    return best;
}

#define EPOCH_NEAR 2000 /* ns, in which three readings come mostly */

/* Its distance from the moment is that of two clocks read now, as close together as can be. */
uint64_t init_epoch(struct spool_moment moment)
{
    uint64_t epoch = sys_clock_ns(CLOCK_REALTIME), shortest = UINT64_MAX;
    for (int i = 0; i < PAIR_TRIES && shortest > EPOCH_NEAR && sys_may(SYS_KIND_TIME); i++) {
        uint64_t before = vdso_boottime_ns(), real = sys_clock_ns(CLOCK_REALTIME);
        uint64_t taken = vdso_boottime_ns() - before;
        if (taken < shortest) {
            shortest = taken;
            epoch = real - (before + taken / 2 - moment.ns);
        }
    }
    return epoch;
}
