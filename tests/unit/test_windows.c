/* test_windows.c - stretches of random recordings against the exact line of steps, moment by
 * moment. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture_fixture.h"
#include "plot.h"
#include "recording.h"
#include "timeline.h"
#include "together.h"

#define TICK CAPTURE_TICK_NS

static char folder[] = "/tmp/test_windows_XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") != 0 || rmdir(folder) != 0;
}

/* ---- the exact line ---- */

struct step {
    uint64_t ns, level; /* the level from then on */
};

/* Of each series, and the one being compared. */
static struct exact {
    enum series series;
    struct step steps[20000];
    size_t count;
    struct timeline summary; /* what the recording's summary says of it */
} lines[SERIES_COUNT], *exact = lines;

static int is_first_of_step(enum event_kind kind)
{
    return kind == EVENT_REALLOC_FREE || kind == EVENT_FREE_IMPLIED;
}

static int is_rest_of_step(enum event_kind kind)
{
    return kind == EVENT_ALLOC || kind == EVENT_REALLOC_FREE;
}

static int is_of_series(enum series series, enum event_kind kind)
{
    return series == SERIES_MEMORY || event_maps(kind) == (series == SERIES_MAPPED);
}

/* The halves of a realloc are one step. */
static void make_steps(const struct fixture *f, enum series series)
{
    uint64_t level = 0;
    exact = &lines[series];
    exact->series = series;
    exact->count = 0;
    for (size_t i = 0; i < f->event_count; i++) {
        const struct event *e = &f->events[i].event;
        int goes_on = i + 1 < f->event_count && is_first_of_step(e->kind) &&
                      is_rest_of_step(f->events[i + 1].event.kind);
        if (!is_of_series(series, e->kind))
            continue;
        if (e->kind == EVENT_ALLOC || e->kind == EVENT_MAP)
            level += e->bytes;
        else if (event_frees(e->kind) || e->kind == EVENT_UNMAP)
            level -= e->bytes;
        if (!goes_on)
            exact->steps[exact->count++] = (struct step){e->ns, level};
    }
}

/* Every fifth class becomes one of mappings: nothing else than the halves of reallocs told them
 * apart from blocks. */
static void make_mappings(struct fixture *f)
{
    uint64_t maps = 0;
    for (size_t i = 0; i < f->event_count; i++) {
        struct event *e = &f->events[i].event;
        if (e->class == 0 || e->class % 5 || e->kind > EVENT_FREE_IMPLIED)
            continue;
        e->kind = e->kind == EVENT_ALLOC ? EVENT_MAP : EVENT_UNMAP;
        maps += e->kind == EVENT_MAP;
    }
    f->image->processes[0].totals.maps = maps;
}

/* The level at a moment; 0: nothing has happened yet. */
static int exact_at(uint64_t ns, uint64_t *level)
{
    size_t i = 0;
    while (i < exact->count && exact->steps[i].ns <= ns)
        i++;
    *level = i ? exact->steps[i - 1].level : 0;
    return i > 0;
}

/* ---- a stretch ---- */

static int line_at(const struct bucket *buckets, size_t count, uint64_t ns, uint64_t *level)
{
    struct steps s = {.buckets = buckets, .count = count};
    uint64_t at, now;
    int found = 0;
    while (steps_next(&s, &at, &now) && at <= ns) {
        *level = now;
        found = 1;
    }
    return found;
}

/* Events have the time of their tick, so lines are compared where ticks end. */
static void check_moment(const struct bucket *buckets, size_t count, uint64_t ns)
{
    uint64_t end = ns / TICK * TICK + TICK - 1, wanted, level = 0;
    int is_known = exact_at(end, &wanted), is_shown = line_at(buckets, count, end, &level);
    assert_int_equal(is_shown, is_known);
    assert_int_equal(level, wanted);
}

static void check_highest(const struct bucket *buckets, size_t count, uint64_t begin, uint64_t end)
{
    uint64_t wanted = 0, highest = 0, level;
    if (exact_at(begin ? begin - 1 : 0, &level))
        wanted = level;
    for (size_t i = 0; i < exact->count; i++)
        if (exact->steps[i].ns >= begin && exact->steps[i].ns < end &&
            exact->steps[i].level > wanted)
            wanted = exact->steps[i].level;
    for (size_t i = 0; i < count; i++)
        highest = buckets[i].max_bytes > highest ? buckets[i].max_bytes : highest;
    assert_int_equal(highest, wanted);
}

static size_t steps_in(uint64_t begin, uint64_t end)
{
    size_t count = 0;
    for (size_t i = 0; i < exact->count; i++)
        count += exact->steps[i].ns >= begin && exact->steps[i].ns < end;
    return count;
}

static int exact_windows;

/* Can the line be exact? Where the summary has joined changes it is not, but in a stretch in which
 * it has more buckets than there are ticks, or half of all, events would show no more. */
static int is_exact(uint64_t begin, uint64_t end)
{
    size_t inside = 0;
    for (size_t i = 0; i < exact->summary.count; i++)
        inside +=
            exact->summary.buckets[i].begin_ns >= begin && exact->summary.buckets[i].begin_ns < end;
    int is_joined = exact->summary.count >= TIMELINE_BUCKETS / 2;
    return steps_in(begin, end) <= TIMELINE_BUCKETS &&
           (!is_joined || (inside < TIMELINE_BUCKETS / 2 && end - begin > inside * TICK));
}

static void check_moments(const struct timeline *line, uint64_t begin, uint64_t end)
{
    size_t stride = 1 + steps_in(begin, end) / 200;
    for (int i = 0; i < 50; i++)
        check_moment(line->buckets, line->count, begin + fixture_random(end - begin));
    for (size_t i = 0; i < exact->count; i += stride)
        if (exact->steps[i].ns >= begin && exact->steps[i].ns < end)
            check_moment(line->buckets, line->count, exact->steps[i].ns);
}

/* begin and end: multiples of a tick. */
static void check_window(struct recording *r, uint64_t begin, uint64_t end)
{
    struct timeline line = {0};
    assert_int_equal(recording_timeline(r, 0, exact->series, begin, end, &line), RECORDING_OK);
    for (size_t i = 0; i < line.count; i++)
        assert_in_range(line.buckets[i].begin_ns, begin, end - 1);
    if (is_exact(begin, end)) {
        check_moments(&line, begin, end);
        check_highest(line.buckets, line.count, begin, end);
        exact_windows++;
    }
    timeline_clear(&line);
}

/* ---- recordings ---- */

/* The summary has the lines, too. */
static struct line_of make_summary(void)
{
    timeline_clear(&exact->summary);
    for (size_t i = 0; i < exact->count; i++)
        timeline_add(&exact->summary, exact->steps[i].ns, exact->steps[i].level);
    return (struct line_of){exact->summary.buckets, exact->summary.count};
}

static void make_lines(struct fixture *f)
{
    struct process *p = &f->image->processes[0];
    struct line_of of[SERIES_COUNT];
    make_mappings(f);
    for (enum series k = 0; k < SERIES_COUNT; k++) {
        make_steps(f, k);
        of[k] = make_summary();
    }
    p->heap = lines[SERIES_HEAP].summary.buckets;
    p->heap_count = of[SERIES_HEAP].count;
    p->mapped = lines[SERIES_MAPPED].summary.buckets;
    p->mapped_count = of[SERIES_MAPPED].count;
    p->memory = lines[SERIES_MEMORY].summary.buckets;
    p->memory_count = of[SERIES_MEMORY].count;
}

static void free_lines(void)
{
    for (enum series k = 0; k < SERIES_COUNT; k++)
        timeline_clear(&lines[k].summary);
}

static void put_capture(const struct fixture *f)
{
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(fixture_write(f, fd, 100), WRITER_OK);
    close(fd);
}

static uint64_t random_tick(uint64_t end)
{
    return fixture_random(end / TICK + 1) * TICK;
}

static void check_line(struct recording *r)
{
    uint64_t last = exact->count ? exact->steps[exact->count - 1].ns + 20 * TICK : TICK;
    check_window(r, 0, last / TICK * TICK + TICK);
    for (int i = 0; i < 5; i++) {
        uint64_t begin = random_tick(last), more = random_tick(last / (1 + fixture_random(40)));
        check_window(r, begin, begin + more + TICK);
    }
}

/* Every fifth has so many events that its summary has lost some, and windows come from the events.
 */
static void check_recording(uint64_t seed)
{
    size_t events = seed % 5 == 0 ? 8000 + seed * 50 : 20 + seed * 7 % 1500;
    struct fixture f = fixture_new(seed, 20, events, 1);
    struct recording *r;
    make_lines(&f);
    put_capture(&f);
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    for (enum series k = 0; k < SERIES_COUNT; k++) {
        exact = &lines[k];
        check_line(r);
    }
    recording_close(r);
    fixture_free(&f);
    unlink("a");
}

/* A whole recording is as exact as its summary, to the nanosecond. */
static void test_the_highest_of_all(void **state)
{
    (void)state;
    struct fixture f = fixture_new(6, 20, 20000, 1);
    struct timeline line = {0};
    struct recording *r;
    uint64_t peak = 0, peak_ns = 0, highest = 0, highest_ns = 0;
    make_lines(&f);
    exact = &lines[SERIES_HEAP];
    put_capture(&f);
    for (size_t i = 0; i < exact->count; i++)
        if (exact->steps[i].level > peak) {
            peak = exact->steps[i].level;
            peak_ns = exact->steps[i].ns;
        }
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    assert_int_equal(
        recording_timeline(r, 0, SERIES_HEAP, 0, exact->steps[exact->count - 1].ns + 1, &line), 0);
    for (size_t i = 0; i < line.count; i++)
        if (line.buckets[i].max_bytes > highest) {
            highest = line.buckets[i].max_bytes;
            highest_ns = line.buckets[i].max_ns;
        }
    assert_true(highest == peak && highest_ns == peak_ns);
    assert_int_equal(line.buckets[line.count - 1].last_bytes, exact->steps[exact->count - 1].level);
    timeline_clear(&line);
    /* Nothing there, nothing asked. */
    assert_int_equal(recording_timeline(r, 9, SERIES_HEAP, 0, 1000, &line), RECORDING_OK);
    assert_int_equal(recording_timeline(r, 0, SERIES_HEAP, 5, 5, &line), RECORDING_OK);
    assert_int_equal(line.count, 0);
    recording_close(r);
    free_lines();
    fixture_free(&f);
    unlink("a");
}

static void test_windows_of_random_recordings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        check_recording(seed);
    assert_true(exact_windows > 2700); /* of 3,600 */
    free_lines();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_highest_of_all),
        cmocka_unit_test(test_windows_of_random_recordings),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
