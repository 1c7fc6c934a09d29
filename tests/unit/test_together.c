/* test_together.c - the sum of many lines against one worked out moment by moment. */
#include "together.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COURSES = 20, CHANGES = 150 };

struct change {
    uint64_t ns, level; /* in the common time */
};

/* A process with its changes so far apart that each has a bucket of its own. */
struct made {
    struct timeline line;
    struct samples samples;
    struct change changes[CHANGES + 1]; /* the last one: its end */
    size_t count;
};

static struct made made[COURSES];
static struct course courses[COURSES];

static void make(size_t i, int runs_on)
{
    struct made *m = &made[i];
    uint64_t ns = (uint64_t)rand() % 5000, shift = (uint64_t)rand() % 3000000;
    *m = (struct made){0};
    for (m->count = 0; m->count < CHANGES; m->count++) {
        uint64_t level = (uint64_t)rand() % 1000;
        timeline_add(&m->line, ns, level);
        samples_add(&m->samples, (struct sample){ns, level});
        m->changes[m->count] = (struct change){ns + shift, level};
        ns += 2048 + (uint64_t)rand() % 20000;
    }
    assert_int_equal(m->line.count, CHANGES);
    if (!runs_on)
        m->changes[m->count++] = (struct change){ns + shift, 0};
    courses[i] = (struct course){.buckets = m->line.buckets,
                                 .count = m->line.count,
                                 .samples = m->samples.list,
                                 .sample_count = m->samples.count,
                                 .shift_ns = shift,
                                 .end_ns = ns,
                                 .runs_on = runs_on};
}

static void clear(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timeline_clear(&made[i].line);
        samples_clear(&made[i].samples);
    }
}

struct step { /* of all lines */
    uint64_t ns;
    size_t course;
};

static int by_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns < y->ns ? -1 : 1;
    return (x->course > y->course) - (x->course < y->course);
}

/* The level of a line right after this step of all lines. */
static uint64_t level_after(size_t course, const struct step *step)
{
    uint64_t level = 0;
    for (size_t i = 0; i < made[course].count; i++) {
        struct step own = {made[course].changes[i].ns, course};
        if (by_time(&own, step) <= 0)
            level = made[course].changes[i].level;
    }
    return level;
}

/* All moments and their sums, each worked out on its own. */
static size_t oracle(size_t count, struct change *sums)
{
    static struct step steps[COURSES * (CHANGES + 1)];
    size_t step_count = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < made[i].count; k++)
            steps[step_count++] = (struct step){made[i].changes[k].ns, i};
    qsort(steps, step_count, sizeof *steps, by_time);
    for (size_t i = 0; i < step_count; i++) {
        sums[i] = (struct change){steps[i].ns, 0};
        for (size_t k = 0; k < count; k++)
            sums[i].level += level_after(k, &steps[i]);
    }
    return step_count;
}

static int any_ends(size_t count, uint64_t ns)
{
    for (size_t i = 0; i < count; i++)
        if (!courses[i].runs_on && courses[i].end_ns + courses[i].shift_ns == ns)
            return 1;
    return 0;
}

/* One level a moment, and before an end the one that was held until then. */
static void check_samples(size_t count, const struct change *sums, size_t moments)
{
    struct samples samples = {0};
    size_t at = 0;
    uint64_t before = 0;

    together_samples(courses, count, &samples);
    for (size_t i = 0; i < moments; i++) {
        if (i + 1 < moments && sums[i + 1].ns == sums[i].ns)
            continue;
        if (any_ends(count, sums[i].ns)) {
            assert_int_equal(samples.list[at].ns, sums[i].ns - 1);
            assert_int_equal(samples.list[at++].rss_bytes, before);
        }
        assert_int_equal(samples.list[at].ns, sums[i].ns);
        assert_int_equal(samples.list[at++].rss_bytes, sums[i].level);
        before = sums[i].level;
    }
    assert_int_equal(samples.count, at);
    samples_clear(&samples);
}

static void check_sum(size_t count)
{
    static struct change sums[COURSES * (CHANGES + 1)];
    size_t moments = oracle(count, sums);
    struct timeline wanted = {0}, got = {0};

    for (size_t i = 0; i < moments; i++)
        timeline_add(&wanted, sums[i].ns, sums[i].level);
    together_line(courses, count, 0, &got);
    assert_int_equal(got.count, wanted.count);
    assert_memory_equal(got.buckets, wanted.buckets, got.count * sizeof *got.buckets);

    check_samples(count, sums, moments);
    timeline_clear(&wanted);
    timeline_clear(&got);
}

static void test_sum_is_that_of_every_moment(void **state)
{
    (void)state;
    srand(4);
    for (int round = 0; round < 10; round++) {
        size_t count = 1 + (size_t)rand() % COURSES;
        for (size_t i = 0; i < count; i++)
            make(i, rand() % 4 == 0);
        check_sum(count);
        clear(count);
    }
}

static void test_nothing_to_sum(void **state)
{
    (void)state;
    struct timeline sum = {0};
    struct samples samples = {0};
    struct course empty = {.end_ns = 7};
    together_line(NULL, 0, 0, &sum);
    assert_int_equal(sum.count, 0);
    together_line(&empty, 1, 0, &sum);
    assert_int_equal(sum.count, 1);
    assert_int_equal(sum.buckets[0].max_bytes, 0);
    together_samples(&empty, 1, &samples);
    assert_int_equal(samples.count, 0); /* nothing was seen: the line does not begin with it */
    timeline_clear(&sum);
    samples_clear(&samples);
}

/* Many changes in a bucket: a single line's sum is itself, its maximum and its end exact. */
static void test_one_line_of_many_events(void **state)
{
    (void)state;
    struct timeline line = {0}, sum = {0};
    uint64_t ns = 0, highest = 0, highest_ns = 0;
    for (int i = 0; i < 200000; i++, ns += 1 + (uint64_t)rand() % 3000) {
        uint64_t level = (uint64_t)rand() % 100000;
        timeline_add(&line, ns, level);
        if (level > highest) {
            highest = level;
            highest_ns = ns;
        }
    }
    struct course course = {line.buckets, line.count, {NULL, 0}, NULL, 0, 1000, ns, 0, 0};
    together_line(&course, 1, 0, &sum);
    const struct bucket *top = &sum.buckets[0];
    for (size_t i = 1; i < sum.count; i++)
        top = sum.buckets[i].max_bytes > top->max_bytes ? &sum.buckets[i] : top;
    assert_int_equal(top->max_bytes, highest);
    assert_int_equal(top->max_ns, highest_ns + 1000);
    assert_int_equal(sum.buckets[sum.count - 1].last_bytes, 0);
    timeline_clear(&line);
    timeline_clear(&sum);
}

/* One process holds 5 from 0 to 10 s, another 3 from 4 to 6 s: by hand. */
static void test_two_by_hand(void **state)
{
    (void)state;
    struct bucket first = bucket_of(0, 5), second = bucket_of(0, 3);
    struct course two[] = {{&first, 1, {NULL, 0}, NULL, 0, 0, 10000000000, 0, 0},
                           {&second, 1, {NULL, 0}, NULL, 0, 4000000000, 2000000000, 0, 0}};
    static const uint64_t ns[] = {0, 4000000000, 6000000000, 10000000000}, level[] = {5, 8, 5, 0};
    struct timeline sum = {0};
    together_line(two, 2, 0, &sum);
    assert_int_equal(sum.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sum.buckets[i].begin_ns, ns[i]);
        assert_int_equal(sum.buckets[i].max_bytes, level[i]);
        assert_int_equal(sum.buckets[i].last_bytes, level[i]);
    }
    timeline_clear(&sum);
}

/* A process that was killed ends with its last event: that counts all the same. */
static void test_an_event_at_the_end(void **state)
{
    (void)state;
    struct bucket line[] = {bucket_of(0, 1), bucket_of(2000, 9)};
    struct course course = {line, 2, {NULL, 0}, NULL, 0, 0, 2000, 0, 0};
    struct timeline sum = {0};
    together_line(&course, 1, 0, &sum);
    assert_int_equal(sum.buckets[sum.count - 1].max_bytes, 9);
    assert_int_equal(sum.buckets[sum.count - 1].last_bytes, 0);
    timeline_clear(&sum);
}

/* The parts of a sum: of a bucket's highest level as the bucket says, of others as the mapped line
 * comes to. The first maps 4 and unmaps it at 3 s, too quickly for its mapped line; the second has
 * 2 mapped from 1 s on. */
static void test_parts_of_a_sum(void **state)
{
    (void)state;
    struct bucket memory[] = {bucket_of(0, 5), bucket_of(3, 1)}, mapped[] = {bucket_of(3, 0)};
    struct bucket other = bucket_of(1, 2);
    memory[1].max_bytes = 9;
    memory[1].max_mapped_bytes = 4;
    other.max_mapped_bytes = 2;
    struct course two[] = {{.buckets = memory, .count = 2, .mapped = {mapped, 1}, .end_ns = 10},
                           {.buckets = &other, .count = 1, .mapped = {&other, 1}, .end_ns = 10}};
    static const uint64_t levels[] = {5, 7, 11, 2}, parts[] = {0, 2, 6, 2};
    struct timeline sum = {0};
    together_line(two, 2, 0, &sum);
    assert_int_equal(sum.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(sum.buckets[i].max_bytes, levels[i]);
        assert_int_equal(sum.buckets[i].max_mapped_bytes, parts[i]);
    }
    assert_int_equal(sum.buckets[2].last_bytes, 3);
    timeline_clear(&sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum_is_that_of_every_moment), cmocka_unit_test(test_nothing_to_sum),
        cmocka_unit_test(test_one_line_of_many_events),     cmocka_unit_test(test_two_by_hand),
        cmocka_unit_test(test_an_event_at_the_end),         cmocka_unit_test(test_parts_of_a_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
