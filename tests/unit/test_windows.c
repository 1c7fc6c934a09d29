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

static struct step steps[20000];
static size_t step_count;

static int is_first_of_step(enum event_kind kind)
{
    return kind == EVENT_REALLOC_FREE || kind == EVENT_FREE_IMPLIED;
}

static int is_rest_of_step(enum event_kind kind)
{
    return kind == EVENT_ALLOC || kind == EVENT_REALLOC_FREE;
}

/* The halves of a realloc are one step. */
static void make_steps(const struct fixture *f)
{
    uint64_t level = 0;
    step_count = 0;
    for (size_t i = 0; i < f->event_count; i++) {
        const struct event *e = &f->events[i].event;
        int goes_on = i + 1 < f->event_count && is_first_of_step(e->kind) &&
                      is_rest_of_step(f->events[i + 1].event.kind);
        if (e->kind == EVENT_ALLOC)
            level += e->bytes;
        else if (e->kind <= EVENT_FREE_IMPLIED)
            level -= e->bytes;
        if (!goes_on)
            steps[step_count++] = (struct step){e->ns, level};
    }
}

/* The level at a moment; 0: nothing has happened yet. */
static int exact_at(uint64_t ns, uint64_t *level)
{
    size_t i = 0;
    while (i < step_count && steps[i].ns <= ns)
        i++;
    *level = i ? steps[i - 1].level : 0;
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
    for (size_t i = 0; i < step_count; i++)
        if (steps[i].ns >= begin && steps[i].ns < end && steps[i].level > wanted)
            wanted = steps[i].level;
    for (size_t i = 0; i < count; i++)
        highest = buckets[i].max_bytes > highest ? buckets[i].max_bytes : highest;
    assert_int_equal(highest, wanted);
}

static size_t steps_in(uint64_t begin, uint64_t end)
{
    size_t count = 0;
    for (size_t i = 0; i < step_count; i++)
        count += steps[i].ns >= begin && steps[i].ns < end;
    return count;
}

static struct timeline summary; /* of the recording */
static int exact_windows;

/* Can the line be exact? Where the summary has joined changes it is not, but in a stretch in which
 * it has more buckets than there are ticks, or half of all, events would show no more. */
static int is_exact(uint64_t begin, uint64_t end)
{
    size_t inside = 0;
    for (size_t i = 0; i < summary.count; i++)
        inside += summary.buckets[i].begin_ns >= begin && summary.buckets[i].begin_ns < end;
    int is_joined = summary.count >= TIMELINE_BUCKETS / 2;
    return steps_in(begin, end) <= TIMELINE_BUCKETS &&
           (!is_joined || (inside < TIMELINE_BUCKETS / 2 && end - begin > inside * TICK));
}

static void check_moments(const struct timeline *line, uint64_t begin, uint64_t end)
{
    size_t stride = 1 + steps_in(begin, end) / 200;
    for (int i = 0; i < 50; i++)
        check_moment(line->buckets, line->count, begin + fixture_random(end - begin));
    for (size_t i = 0; i < step_count; i += stride)
        if (steps[i].ns >= begin && steps[i].ns < end)
            check_moment(line->buckets, line->count, steps[i].ns);
}

/* begin and end: multiples of a tick. */
static void check_window(struct recording *r, uint64_t begin, uint64_t end)
{
    struct timeline line = {0};
    assert_int_equal(recording_timeline(r, 0, SERIES_HEAP, begin, end, &line), RECORDING_OK);
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

/* The summary has the line, too. */
static void give_summary(struct process *p)
{
    timeline_clear(&summary);
    for (size_t i = 0; i < step_count; i++)
        timeline_add(&summary, steps[i].ns, steps[i].level);
    p->heap = summary.buckets;
    p->heap_count = summary.count;
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

/* Every fifth has so many events that its summary has lost some, and windows come from the events.
 */
static void check_recording(uint64_t seed)
{
    size_t events = seed % 5 == 0 ? 8000 + seed * 50 : 20 + seed * 7 % 1500;
    struct fixture f = fixture_new(seed, 20, events, 1);
    struct recording *r;
    make_steps(&f);
    give_summary(&f.image->processes[0]);
    put_capture(&f);
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    uint64_t last = steps[step_count - 1].ns + 20 * TICK;
    check_window(r, 0, last / TICK * TICK + TICK);
    for (int i = 0; i < 5; i++) {
        uint64_t begin = random_tick(last), more = random_tick(last / (1 + fixture_random(40)));
        check_window(r, begin, begin + more + TICK);
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
    make_steps(&f);
    give_summary(&f.image->processes[0]);
    put_capture(&f);
    for (size_t i = 0; i < step_count; i++)
        if (steps[i].level > peak) {
            peak = steps[i].level;
            peak_ns = steps[i].ns;
        }
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    assert_int_equal(recording_timeline(r, 0, SERIES_HEAP, 0, steps[step_count - 1].ns + 1, &line),
                     0);
    for (size_t i = 0; i < line.count; i++)
        if (line.buckets[i].max_bytes > highest) {
            highest = line.buckets[i].max_bytes;
            highest_ns = line.buckets[i].max_ns;
        }
    assert_true(highest == peak && highest_ns == peak_ns);
    assert_int_equal(line.buckets[line.count - 1].last_bytes, steps[step_count - 1].level);
    timeline_clear(&line);
    /* Nothing there, nothing asked. */
    assert_int_equal(recording_timeline(r, 9, SERIES_HEAP, 0, 1000, &line), RECORDING_OK);
    assert_int_equal(recording_timeline(r, 0, SERIES_HEAP, 5, 5, &line), RECORDING_OK);
    assert_int_equal(line.count, 0);
    recording_close(r);
    timeline_clear(&summary);
    fixture_free(&f);
    unlink("a");
}

static void test_windows_of_random_recordings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        check_recording(seed);
    assert_true(exact_windows > 900); /* of 1,200 */
    timeline_clear(&summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_highest_of_all),
        cmocka_unit_test(test_windows_of_random_recordings),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
