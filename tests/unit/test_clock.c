/* test_clock.c - ticks to nanoseconds: rates from pairs, late pairs, a suspend. */
#include "clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "boot_clock.h"
#include "counter.h"

#include <stdio.h>

#define START_NS 1000000000000ull
#define MS       1000000ull

/* A counter of 2.5 ticks a nanosecond, of another machine: nothing can be measured. */
static struct clock counter_clock(void)
{
    struct spool_header h = {.clock = SPOOL_CLOCK_COUNTER, .machine = 1};
    struct clock c;
    memset(h.boot_id, 0x5a, sizeof h.boot_id);
    h.start = (struct spool_moment){5000, START_NS};
    clock_init(&c, &h);
    return c;
}

static struct spool_moment pair(uint64_t ns)
{
    return (struct spool_moment){5000 + ns * 5 / 2, START_NS + ns};
}

static void expect_near(uint64_t got, uint64_t wanted, uint64_t tolerance)
{
    assert_true(got + tolerance >= wanted && got <= wanted + tolerance);
}

static void test_nanoseconds_stay(void **state)
{
    (void)state;
    struct spool_header h = {.clock = SPOOL_CLOCK_NS, .start = {700, 700}};
    struct clock c;
    clock_init(&c, &h);
    clock_settle(&c);
    clock_pair(&c, (struct spool_moment){800, 90000}); /* says nothing new */
    assert_int_equal(clock_ns(&c, 700), 0);
    assert_int_equal(clock_ns(&c, 1000), 300);
    assert_int_equal(clock_ns(&c, 900), 300); /* never falls */
    assert_int_equal(clock_at(&c, 900), 200);
    assert_int_equal(clock_at(&c, 0), 0);
    assert_int_equal(clock_millisecond(&c), MS);
}

static void test_rate_from_far_pairs(void **state)
{
    (void)state;
    struct clock c = counter_clock();
    clock_learn(&c, (struct spool_moment){5000 + 30, START_NS + 1000}); /* near and wrong */
    clock_learn(&c, pair(100 * MS));
    clock_learn(&c, pair(10000 * MS));
    clock_settle(&c);
    expect_near(clock_ns(&c, pair(3 * MS).ticks), 3 * MS, 2);
    expect_near(clock_ns(&c, pair(9999 * MS).ticks), 9999 * MS, 2);
    expect_near(clock_millisecond(&c), 2500000, 1);
}

static void test_rate_from_what_there_is(void **state)
{
    (void)state;
    struct clock c = counter_clock();
    clock_learn(&c, pair(2 * MS));
    clock_settle(&c);
    expect_near(clock_ns(&c, pair(MS).ticks), MS, 2);
    struct clock d = counter_clock(); /* nothing at all: some rate, never none */
    clock_settle(&d);
    assert_true(clock_ns(&d, 5000 + 1000) > 0);
    clock_pair(&d, pair(100 * MS));
    expect_near(clock_ns(&d, pair(110 * MS).ticks), 110 * MS, 2 * MS);
}

/* A pair read late by a preemption hardly moves the time; true ones then bring it back. */
static void test_late_pair(void **state)
{
    (void)state;
    struct clock c = counter_clock();
    clock_learn(&c, pair(1000 * MS));
    clock_settle(&c);
    struct spool_moment late = pair(100 * MS);
    late.ns += 8 * MS;
    clock_pair(&c, late);
    expect_near(clock_at(&c, pair(100 * MS).ticks), 101 * MS, 1000);
    for (uint64_t ms = 200; ms < 6000; ms += 100)
        clock_pair(&c, pair(ms * MS));
    expect_near(clock_ns(&c, pair(6000 * MS).ticks), 6000 * MS, 1000);
}

/* The counter stood still while the machine slept for a minute. */
static void test_suspend(void **state)
{
    (void)state;
    struct clock c = counter_clock();
    clock_learn(&c, pair(1000 * MS));
    clock_settle(&c);
    struct spool_moment after = pair(2000 * MS);
    after.ns += 60000 * MS;
    clock_learn(&c, after); /* no reason to think that the counter is slower */
    expect_near(clock_ns(&c, pair(1999 * MS).ticks), 1999 * MS, 10);
    clock_pair(&c, after);
    expect_near(clock_ns(&c, pair(2001 * MS).ticks), 62001 * MS, 10);
}

/* ---- a thread that loses the processor between two readings ---- */

static int is_torn, is_late; /* the next reading of the clock: before the loss, or after it */

uint64_t __real_boot_clock_ns(void);
uint64_t __wrap_boot_clock_ns(void);

static void lose_processor(void)
{
    uint64_t until = __real_boot_clock_ns() + 4 * MS;
    while (__real_boot_clock_ns() < until)
        ;
}

uint64_t __wrap_boot_clock_ns(void) /* tests.mk */
{
    if (is_torn && is_late)
        lose_processor();
    uint64_t ns = __real_boot_clock_ns();
    if (is_torn && !is_late)
        lose_processor();
    is_torn = 0;
    return ns;
}

/* A clock of this boot, whose rate is measured. */
static struct clock measured_clock(void)
{
    struct spool_header h = {.clock = SPOOL_CLOCK_COUNTER, .machine = COUNTER_MACHINE};
    struct clock c;
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    for (int i = 0; i < SPOOL_ID_BYTES; i++) {
        unsigned byte;
        if (i == 4 || i == 6 || i == 8 || i == 10)
            assert_int_equal(fgetc(f), '-');
        assert_int_equal(fscanf(f, "%2x", &byte), 1);
        h.boot_id[i] = (uint8_t)byte;
    }
    fclose(f);
    h.start = (struct spool_moment){counter_now(), __real_boot_clock_ns()};
    clock_init(&c, &h);
    clock_settle(&c);
    return c;
}

static void test_torn_pairs(void **state)
{
    (void)state;
    struct clock good = measured_clock();
    uint64_t wanted = clock_millisecond(&good);
    for (is_late = 0; is_late < 2; is_late++) {
        is_torn = 1;
        struct clock c = measured_clock();
        expect_near(clock_millisecond(&c), wanted, wanted / 100);
    }
}

static void test_nonsense(void **state)
{
    (void)state;
    struct clock c = counter_clock();
    clock_learn(&c, (struct spool_moment){UINT64_MAX, START_NS + 1});
    clock_learn(&c, (struct spool_moment){1, UINT64_MAX});
    clock_settle(&c);
    uint64_t before = 0;
    for (int i = 0; i < 64; i++) {
        clock_pair(&c, (struct spool_moment){UINT64_MAX >> i, UINT64_MAX >> (63 - i)});
        uint64_t ns = clock_ns(&c, 1ull << i);
        assert_true(ns >= before);
        before = ns;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nanoseconds_stay),
        cmocka_unit_test(test_rate_from_far_pairs),
        cmocka_unit_test(test_rate_from_what_there_is),
        cmocka_unit_test(test_late_pair),
        cmocka_unit_test(test_suspend),
        cmocka_unit_test(test_torn_pairs),
        cmocka_unit_test(test_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
