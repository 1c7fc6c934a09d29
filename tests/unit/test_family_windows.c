/* test_family_windows.c - the lines of random families (plot -C and -M), whole and in windows,
 * against the exact lines of steps, moment by moment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exact_lines.h"
#include "plot_family.h"
#include "scratch.h"

#define FAMILIES  200
#define FORKED    3    /* processes of the first recording */
#define PROCESSES 4    /* and the one of the second */
#define FIRST_PID 1000 /* the others' follow */
#define SHIFT     (7000 * TICK)

static struct exact lines[PROCESSES][SERIES_COUNT];
static struct fixture first, second;
static size_t compared; /* moments */

/* ---- the family ---- */

static struct process *process_of(int i)
{
    return i < FORKED ? &first.image->processes[i] : second.image->processes;
}

static uint64_t shift_of(int i)
{
    return i < FORKED ? 0 : SHIFT;
}

/* The process ends with the tick of its last event, and holds what it has until then. */
static void set_process(int i, const struct fixture *f, uint32_t serial)
{
    struct process *p = process_of(i);
    uint64_t maps = p->totals.maps;
    for (enum series k = 0; k < SERIES_COUNT; k++)
        lines[i][k] = exact_make(f, serial, k);
    const struct exact *all = &lines[i][SERIES_MEMORY];
    p->pid = FIRST_PID + i;
    p->parent_pid = i ? FIRST_PID : 1;
    p->begin_ns = all->count ? all->steps[0].ns / TICK * TICK : 0;
    p->end_ns = all->count ? exact_tick_end(all->steps[all->count - 1].ns) + 1 : TICK;
    p->ending = (struct ending){END_CODE, 0, ""};
    p->quality = (struct quality){0};
    p->totals = (struct totals){.maps = maps};
    p->sample_count = p->difference_count = p->failure_count = p->thread_usage_count = 0;
    exact_give(p, lines[i]);
}

static uint64_t highest_of(const struct exact *x)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < x->count; i++)
        highest = x->steps[i].level > highest ? x->steps[i].level : highest;
    return highest;
}

static void set_totals(int i)
{
    struct totals *t = &process_of(i)->totals;
    t->peak_bytes = highest_of(&lines[i][SERIES_HEAP]);
    t->mapped_peak_bytes = highest_of(&lines[i][SERIES_MAPPED]);
    t->memory_peak_bytes = highest_of(&lines[i][SERIES_MEMORY]);
}

static void set_image(struct image *image, int pid)
{
    image->tree = 5;
    image->id[0] = (uint8_t)pid;
    image->pid = pid;
    image->start_time = 5000 + (uint64_t)(pid - FIRST_PID);
    image->beside = 1;
    image->gap_count = 0;
}

static void make_family(uint64_t seed)
{
    size_t events = seed % 10 == 0 ? 30000 : 20 + seed * 7 % 1500;
    first = fixture_new(seed, 20, events, FORKED);
    second = fixture_new(seed + FAMILIES, 20, 20 + seed * 11 % 900, 1);
    exact_make_mappings(&first);
    exact_make_mappings(&second);
    set_image(first.image, FIRST_PID);
    set_image(second.image, FIRST_PID + FORKED);
    second.image->epoch_ns = first.image->epoch_ns + SHIFT;
    second.image->parent_pid = FIRST_PID;
    second.image->parent_start_time = first.image->start_time;
    for (int i = 0; i < PROCESSES; i++) {
        set_process(i, i < FORKED ? &first : &second, i < FORKED ? (uint32_t)i : 0);
        set_totals(i);
    }
    second.image->processes->start_time = second.image->start_time;
    exact_write(&first, "root.mprof");
    exact_write(&second, "root.mprof.1");
}

static void free_family(void)
{
    for (int i = 0; i < PROCESSES; i++)
        for (enum series k = 0; k < SERIES_COUNT; k++)
            exact_free(&lines[i][k]);
    fixture_free(&first);
    fixture_free(&second);
}

/* ---- comparing ---- */

/* Of one process, in the tree's time. */
static uint64_t exact_level(int i, enum series series, uint64_t ns)
{
    uint64_t shift = shift_of(i), level = 0;
    if (ns >= shift && ns - shift < process_of(i)->end_ns)
        exact_at(&lines[i][series], ns - shift, &level);
    return level;
}

static uint64_t exact_sum(enum series series, uint64_t ns)
{
    uint64_t sum = 0;
    for (int i = 0; i < PROCESSES; i++)
        sum += exact_level(i, series, ns);
    return sum;
}

/* A moment of the tree in the process's own time; 0: the process had not begun. */
static uint64_t own_time(int i, uint64_t ns)
{
    return ns > shift_of(i) ? ns - shift_of(i) : 0;
}

static int process_can_be_exact(int i, enum series series, uint64_t begin, uint64_t end)
{
    return end <= shift_of(i) ||
           exact_can_be(&lines[i][series], own_time(i, begin), own_time(i, end));
}

/* The sum has as many buckets as one line. */
static int sum_can_be_exact(enum series series, uint64_t begin, uint64_t end)
{
    size_t steps = 0;
    for (int i = 0; i < PROCESSES; i++) {
        if (!process_can_be_exact(i, series, begin, end))
            return 0;
        steps += exact_steps_in(&lines[i][series], own_time(i, begin), own_time(i, end));
    }
    return steps <= TIMELINE_BUCKETS;
}

static void check_moment(uint64_t wanted, struct line_of line, uint64_t ns)
{
    uint64_t level;
    exact_shown_at(line, ns, &level);
    assert_int_equal(level, wanted);
    compared++;
}

/* The line of one process. What it held at last is drawn until its end. */
static void check_process(const struct plot_line *line, uint64_t begin, uint64_t end)
{
    int i = line->image->processes[0].pid - FIRST_PID;
    assert_in_range(i, 0, PROCESSES - 1);
    if (!process_can_be_exact(i, line->series, begin, end))
        return;
    for (int k = 0; k < 40; k++) {
        uint64_t ns = exact_tick_end(begin + fixture_random(end - begin));
        if (ns < end && ns < shift_of(i) + process_of(i)->end_ns)
            check_moment(exact_level(i, line->series, ns), line->line, ns);
    }
}

static void check_sum(const struct plot_line *line, uint64_t begin, uint64_t end)
{
    for (int k = 0; k < 80; k++) {
        uint64_t ns = exact_tick_end(begin + fixture_random(end - begin));
        if (ns >= end)
            continue;
        if (sum_can_be_exact(line->series, begin, end))
            check_moment(exact_sum(line->series, ns), line->line, ns);
        if (line->series == SERIES_MEMORY && line->mapped.count &&
            sum_can_be_exact(SERIES_MAPPED, begin, end))
            check_moment(exact_sum(SERIES_MAPPED, ns), line->mapped, ns);
    }
}

static void check_lines(const struct plot_family *f, uint64_t begin, uint64_t end)
{
    size_t count;
    const struct plot_line *shown = plot_family_lines(f, &count);
    assert_true(count >= 2);
    check_sum(&shown[0], begin, end);
    for (size_t i = 1; i < count; i++)
        check_process(&shown[i], begin, end);
}

static uint64_t last_moment(void)
{
    uint64_t last = 0;
    for (int i = 0; i < PROCESSES; i++) {
        uint64_t end = shift_of(i) + process_of(i)->end_ns;
        last = end > last ? end : last;
    }
    return last;
}

static void check_family(const struct series_choice *choice)
{
    struct plot_family *f;
    uint64_t last = last_moment();
    assert_int_equal(plot_family_new(&f, "root.mprof", PLOT_TOGETHER | PLOT_EACH, choice), 0);
    assert_non_null(f);
    assert_int_equal(plot_family_size(f), PROCESSES);
    check_lines(f, 0, last);
    for (int i = 0; i < 3; i++) {
        uint64_t begin = exact_random_tick(last - TICK);
        uint64_t more = exact_random_tick(last / (1 + fixture_random(40))) + TICK;
        uint64_t end = begin + more < last ? begin + more : last;
        assert_int_equal(plot_family_window(f, begin, end), PROCESSES);
        check_lines(f, begin, end);
    }
    plot_family_free(f);
}

static void test_windows_of_random_families(void **state)
{
    (void)state;
    static const struct series_choice choices[] = {{0, 0}, {.heap = 1}, {.mapped = 1}};
    for (uint64_t seed = 1; seed <= FAMILIES; seed++) {
        make_family(seed);
        check_family(&choices[seed % 3]);
        free_family();
    }
    assert_true(compared > 90000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_windows_of_random_families)};
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
