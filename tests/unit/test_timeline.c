/* test_timeline.c - buckets that double keep every maximum; samples thinned keep the highest. */
#include "timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Whatever the buckets, each of them has the first, highest, lowest and last of the events in it.
 */
static void check_against(const struct timeline *t, const uint64_t *ns, const uint64_t *level,
                          size_t count)
{
    size_t e = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct bucket *b = &t->buckets[i];
        uint64_t end = i + 1 < t->count ? t->buckets[i + 1].begin_ns : UINT64_MAX;
        struct bucket wanted = {ns[e], level[e], 0, 0, UINT64_MAX, 0, 0, 0, 0};
        for (; e < count && ns[e] < end; e++) {
            if (level[e] > wanted.max_bytes) {
                wanted.max_bytes = level[e];
                wanted.max_ns = ns[e];
            }
            if (level[e] < wanted.min_bytes) {
                wanted.min_bytes = level[e];
                wanted.min_ns = ns[e];
            }
            wanted.last_bytes = level[e];
            wanted.last_ns = ns[e];
        }
        assert_memory_equal(b, &wanted, sizeof wanted);
    }
    assert_int_equal(e, count);
}

static void test_doubling_keeps_all(void **state)
{
    (void)state;
    enum { EVENTS = 100000 };
    static uint64_t ns[EVENTS], level[EVENTS];
    struct timeline t = {0};

    srand(11);
    for (size_t i = 0; i < EVENTS; i++) {
        ns[i] = (i ? ns[i - 1] : 5) + (uint64_t)(rand() % 5000) * (i % 1000 == 0 ? 10000 : 1);
        level[i] = 1 + (uint64_t)rand() % 1000000;
        timeline_add(&t, ns[i], level[i]);
        assert_true(t.count <= TIMELINE_BUCKETS);
    }
    assert_true(t.count > TIMELINE_BUCKETS / 8);
    check_against(&t, ns, level, EVENTS);
    timeline_clear(&t);
}

static void test_far_times(void **state)
{
    (void)state;
    struct timeline t = {0};
    for (uint64_t i = 0; i < 3 * TIMELINE_BUCKETS; i++)
        timeline_add(&t, i * (UINT64_MAX / (3 * TIMELINE_BUCKETS)), i);
    timeline_add(&t, UINT64_MAX, 7);
    timeline_add(&t, UINT64_MAX, 1u << 30);
    assert_true(t.count <= TIMELINE_BUCKETS);
    assert_int_equal(t.buckets[t.count - 1].max_bytes, 1u << 30);
    timeline_clear(&t);
}

static void test_samples_keep_the_highest(void **state)
{
    (void)state;
    struct samples s = {0};
    for (uint64_t i = 0; i < 100000; i++)
        samples_add(&s, (struct sample){i * 1000, i == 77777 ? 999 : i % 100});
    samples_sort(&s);
    assert_true(s.count <= SAMPLES_MAX && s.count > SAMPLES_MAX / 4);
    assert_int_equal(s.highest, 999);
    int found = 0;
    for (size_t i = 0; i < s.count; i++) {
        found += s.list[i].rss_bytes == 999 && s.list[i].ns == 77777000;
        assert_true(i == 0 || s.list[i - 1].ns <= s.list[i].ns);
    }
    assert_int_equal(found, 1);
    samples_clear(&s);
}

static void test_samples_at_one_time(void **state)
{
    (void)state;
    struct samples s = {0};
    for (uint64_t i = 0; i < SAMPLES_MAX + 5; i++)
        samples_add(&s, (struct sample){42, i});
    assert_true(s.count < SAMPLES_MAX);
    assert_int_equal(s.highest, SAMPLES_MAX + 4);
    samples_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubling_keeps_all),
        cmocka_unit_test(test_far_times),
        cmocka_unit_test(test_samples_keep_the_highest),
        cmocka_unit_test(test_samples_at_one_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
