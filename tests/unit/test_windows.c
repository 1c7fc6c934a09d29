/* test_windows.c - stretches of random recordings against the exact line of steps, moment by
 * moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exact_lines.h"
#include "recording.h"
#include "scratch.h"

static struct exact lines[SERIES_COUNT];
static int exact_windows;

/* ---- a stretch ---- */

static void check_moment(const struct exact *x, struct line_of line, uint64_t ns)
{
    uint64_t end = exact_tick_end(ns), wanted, level;
    int is_known = exact_at(x, end, &wanted), is_shown = exact_shown_at(line, end, &level);
    assert_int_equal(is_shown, is_known);
    assert_int_equal(level, wanted);
}

static void check_moments(const struct exact *x, struct line_of line, uint64_t begin, uint64_t end)
{
    size_t stride = 1 + exact_steps_in(x, begin, end) / 200;
    for (int i = 0; i < 50; i++)
        check_moment(x, line, begin + fixture_random(end - begin));
    for (size_t i = 0; i < x->count; i += stride)
        if (x->steps[i].ns >= begin && x->steps[i].ns < end)
            check_moment(x, line, x->steps[i].ns);
}

/* Whoever draws the line says of its highest how much was mapped. */
static void check_highest(const struct exact *x, struct line_of line, uint64_t begin, uint64_t end)
{
    struct step wanted = exact_highest(x, begin, end);
    struct bucket shown = exact_highest_shown(line);
    assert_int_equal(shown.max_bytes, wanted.level);
    assert_int_equal(shown.max_mapped_bytes, wanted.level ? wanted.mapped : 0);
}

/* begin and end: multiples of a tick. */
static void check_window(struct recording *r, enum series series, uint64_t begin, uint64_t end)
{
    const struct exact *x = &lines[series];
    struct timeline window = {0};
    assert_int_equal(recording_timeline(r, 0, series, begin, end, &window), RECORDING_OK);
    struct line_of line = {window.buckets, window.count};
    for (size_t i = 0; i < line.count; i++)
        assert_in_range(line.buckets[i].begin_ns, begin, end - 1);
    if (exact_can_be(x, begin, end)) {
        check_moments(x, line, begin, end);
        check_highest(x, line, begin, end);
        exact_windows++;
    }
    timeline_clear(&window);
}

/* ---- recordings ---- */

static struct fixture make_recording(uint64_t seed, size_t events)
{
    struct fixture f = fixture_new(seed, 20, events, 1);
    exact_make_mappings(&f);
    for (enum series k = 0; k < SERIES_COUNT; k++)
        lines[k] = exact_make(&f, 0, k);
    exact_give(&f.image->processes[0], lines);
    exact_write(&f, "a");
    return f;
}

static void free_recording(struct fixture *f)
{
    for (enum series k = 0; k < SERIES_COUNT; k++)
        exact_free(&lines[k]);
    fixture_free(f);
    unlink("a");
}

static void check_line(struct recording *r, enum series series)
{
    const struct exact *x = &lines[series];
    uint64_t last = (x->count ? x->steps[x->count - 1].ns : 0) + 20 * TICK;
    check_window(r, series, 0, last / TICK * TICK + TICK);
    for (int i = 0; i < 5; i++) {
        uint64_t begin = exact_random_tick(last);
        uint64_t more = exact_random_tick(last / (1 + fixture_random(40)));
        check_window(r, series, begin, begin + more + TICK);
    }
}

/* Every fifth has so many events that its summary has lost some, and windows come from the events.
 */
static void check_recording(uint64_t seed)
{
    size_t events = seed % 5 == 0 ? 8000 + seed * 50 : 20 + seed * 7 % 1500;
    struct fixture f = make_recording(seed, events);
    struct recording *r;
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    for (enum series k = 0; k < SERIES_COUNT; k++)
        check_line(r, k);
    recording_close(r);
    free_recording(&f);
}

/* A whole recording is as exact as its summary, to the nanosecond. */
static void check_highest_of_all(struct recording *r, enum series series)
{
    const struct exact *x = &lines[series];
    struct timeline line = {0};
    struct step wanted = exact_highest(x, 0, UINT64_MAX);
    assert_int_equal(recording_timeline(r, 0, series, 0, x->steps[x->count - 1].ns + 1, &line), 0);
    struct bucket got = exact_highest_shown((struct line_of){line.buckets, line.count});
    assert_true(got.max_bytes == wanted.level && got.max_ns == wanted.ns);
    assert_int_equal(got.max_mapped_bytes, wanted.mapped);
    assert_int_equal(line.buckets[line.count - 1].last_bytes, x->steps[x->count - 1].level);
    timeline_clear(&line);
}

static void test_the_highest_of_all(void **state)
{
    (void)state;
    struct fixture f = make_recording(6, 20000);
    struct recording *r;
    struct timeline none = {0};
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    for (enum series k = 0; k < SERIES_COUNT; k++)
        check_highest_of_all(r, k);
    /* Nothing there, nothing asked. */
    assert_int_equal(recording_timeline(r, 9, SERIES_HEAP, 0, 1000, &none), RECORDING_OK);
    assert_int_equal(recording_timeline(r, 0, SERIES_HEAP, 5, 5, &none), RECORDING_OK);
    assert_int_equal(none.count, 0);
    recording_close(r);
    free_recording(&f);
}

static void test_windows_of_random_recordings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        check_recording(seed);
    assert_true(exact_windows > 2700); /* of 3,600 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_highest_of_all),
        cmocka_unit_test(test_windows_of_random_recordings),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
