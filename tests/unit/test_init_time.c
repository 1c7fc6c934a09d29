/*
 * test_init_time.c - pairs of clocks, where the processor is lost between two readings of one pair:
 * they still belong together.
 */
#include "sys.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define READING 100u     /* ns that a reading takes */
#define LOST    5000000u /* ns */
#define REAL    1700000000000000000u

#define sys_clock_ns test_clock_ns
static uint64_t test_clock_ns(int clock);
#include "../../preload/init_time.c"

uint64_t sys_forbidden;
static uint64_t now; /* of the time that CLOCK_BOOTTIME counts */
static int lost_at;  /* before this reading the processor is lost */
static int readings;

static uint64_t read_time(void)
{
    now += READING + (readings++ == lost_at ? LOST : 0);
    return now;
}

static uint64_t test_clock_ns(int clock)
{
    return read_time() + (clock == CLOCK_REALTIME ? REAL : 0);
}

uint64_t vdso_boottime_ns(void)
{
    return read_time();
}

#define READINGS 20 /* more than any of them takes */

static void begin(int lose)
{
    readings = 0;
    lost_at = lose;
}

static void test_now(void **state)
{
    (void)state;
    init_time_start(0); /* ticks are the other clock's time, so a pair is one number twice */
    for (int i = 0; i < READINGS; i++) {
        begin(i);
        struct spool_moment pair = init_now();
        assert_in_range(pair.ticks + 2 * READING - pair.ns, 0, 4 * READING);
    }
}

static void test_epoch(void **state)
{
    (void)state;
    for (int i = 0; i < READINGS; i++) {
        struct spool_moment past = {0, now};
        now += LOST;
        begin(i);
        assert_in_range(init_epoch(past) + 2 * READING - past.ns - REAL, 0, 4 * READING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_now),
        cmocka_unit_test(test_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
