/* test_ranges.c - mapped ranges: splitting, overlapping, whole pages. */
#include "ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 4096ull

static struct ranges two_maps(void)
{
    struct ranges set = {0};
    ranges_add(&set, (struct range){.begin = 40 * PAGE, .end = 50 * PAGE, .class = 2});
    ranges_add(&set, (struct range){.begin = 10 * PAGE, .end = 20 * PAGE, .class = 1});
    return set;
}

static const struct range *nth(const struct ranges *set, size_t i)
{
    const struct range *range = ranges_above(set, 0);
    for (; range && i > 0; i--)
        range = ranges_above(set, range->end);
    return range;
}

static void expect_range(const struct range *range, uint64_t begin, uint64_t end, uint32_t class)
{
    assert_non_null(range);
    assert_int_equal(range->begin, begin * PAGE);
    assert_int_equal(range->end, end * PAGE);
    assert_int_equal(range->class, class);
}

static void expect(const struct ranges *set, size_t i, uint64_t begin, uint64_t end, uint32_t class)
{
    expect_range(nth(set, i), begin, end, class);
}

static void test_middle_splits(void **state)
{
    (void)state;
    struct ranges set = two_maps();
    struct range_list taken = {0};
    assert_int_equal(ranges_take(&set, 12 * PAGE, 15 * PAGE, &taken), 1);
    assert_int_equal(set.count, 3);
    expect(&set, 0, 10, 12, 1);
    expect(&set, 1, 15, 20, 1);
    expect(&set, 2, 40, 50, 2);
    expect_range(&taken.list[0], 12, 15, 1);
    ranges_clear(&set);
    range_list_clear(&taken);
}

static void test_over_several(void **state)
{
    (void)state;
    struct ranges set = two_maps();
    struct range_list taken = {0}, seen = {0};
    ranges_add(&set, (struct range){.begin = 25 * PAGE, .end = 30 * PAGE, .class = 3});
    ranges_look(&set, 15 * PAGE, 45 * PAGE, &seen);
    assert_int_equal(set.count, 3);
    assert_int_equal(ranges_take(&set, 15 * PAGE, 45 * PAGE, &taken), 3);
    assert_int_equal(set.count, 2);
    expect(&set, 0, 10, 15, 1);
    expect(&set, 1, 45, 50, 2);
    assert_int_equal(taken.count, 3);
    assert_int_equal(seen.count, 3);
    expect_range(&taken.list[0], 15, 20, 1);
    expect_range(&taken.list[1], 25, 30, 3);
    expect_range(&taken.list[2], 40, 45, 2);
    expect_range(&seen.list[2], 40, 45, 2);
    ranges_clear(&set);
    range_list_clear(&taken);
    range_list_clear(&seen);
}

static void test_nothing_there(void **state)
{
    (void)state;
    struct ranges set = two_maps();
    struct range_list taken = {0};
    assert_int_equal(ranges_take(&set, 20 * PAGE, 40 * PAGE, &taken), 0);
    assert_int_equal(ranges_take(&set, 15 * PAGE, 15 * PAGE, &taken), 0);
    assert_int_equal(ranges_take(&set, 60 * PAGE, 50 * PAGE, &taken), 0);
    assert_int_equal(set.count, 2);
    assert_int_equal(taken.count, 0);
    assert_null(ranges_above(&set, 50 * PAGE));
    ranges_clear(&set);
}

static void test_whole_pages(void **state)
{
    (void)state;
    struct range r = range_of_pages(PAGE + 1, 1);
    assert_int_equal(r.begin, PAGE);
    assert_int_equal(r.end, 2 * PAGE);
    r = range_of_pages(PAGE, 0);
    assert_int_equal(r.end - r.begin, 0);
    r = range_of_pages(~0ull - 10, ~0ull);
    assert_true(r.end >= r.begin);
    assert_int_equal(r.end % PAGE, 0);
    r = range_of_pages(0x1000, ~0ull - 1);
    assert_true(r.end > r.begin);
}

/* A part is one with its neighbours again, but not with what is another's. */
static void test_join(void **state)
{
    (void)state;
    struct ranges set = two_maps();
    ranges_add(&set, (struct range){.begin = 20 * PAGE, .end = 40 * PAGE, .class = 1, .ns = 7});
    for (uint64_t i = 0; i < 40; i++) {
        struct range_list taken = {0};
        ranges_take(&set, (10 + i) * PAGE, (12 + i % 5 + i) * PAGE, &taken);
        for (size_t k = taken.count; k-- > 0;)
            ranges_join(&set, taken.list[k]);
        assert_int_equal(set.count, 3);
        range_list_clear(&taken);
    }
    expect(&set, 0, 10, 20, 1);
    expect(&set, 1, 20, 40, 1);
    expect(&set, 2, 40, 50, 2);
    ranges_clear(&set);
}

/* Where another mapping came meanwhile, that one stays. */
static void test_same(void **state)
{
    (void)state;
    struct ranges set = two_maps();
    struct range_list seen = {0}, taken = {0};
    ranges_look(&set, 12 * PAGE, 20 * PAGE, &seen);
    ranges_take(&set, 14 * PAGE, 16 * PAGE, &taken);
    ranges_add(&set,
               (struct range){.begin = 14 * PAGE, .end = 16 * PAGE, .class = 3, .mapping = 9});
    taken.count = 0;
    ranges_take_same(&set, &seen.list[0], &taken);
    assert_int_equal(set.count, 3);
    expect(&set, 0, 10, 12, 1);
    expect(&set, 1, 14, 16, 3);
    expect(&set, 2, 40, 50, 2);
    assert_int_equal(taken.count, 2);
    expect_range(&taken.list[0], 12, 14, 1);
    expect_range(&taken.list[1], 16, 20, 1);
    ranges_clear(&set);
    range_list_clear(&seen);
    range_list_clear(&taken);
}

static struct range of_segment(uint64_t begin, uint64_t end, uint64_t segment, uint32_t id)
{
    return (struct range){.begin = begin * PAGE,
                          .end = end * PAGE,
                          .segment = segment * PAGE,
                          .segment_id = id,
                          .class = id};
}

/* What lies where a segment would: of the segment whose part is the lowest there. */
static void test_segments(void **state)
{
    (void)state;
    struct ranges set = two_maps(), child = {0};
    struct range_list seen = {0};
    ranges_add(&set, of_segment(100, 104, 100, 7));
    ranges_add(&set, of_segment(106, 110, 100, 7)); /* cut in two */
    ranges_add(&set, of_segment(104, 106, 104, 8));
    ranges_add(&set, of_segment(114, 120, 110, 9)); /* its beginning is gone .. */
    ranges_add(&set, of_segment(120, 125, 110, 5)); /* .. and another would begin there, too */
    ranges_look_segment(&set, 100 * PAGE, &seen);
    assert_int_equal(seen.count, 2);
    expect_range(&seen.list[0], 100, 104, 7);
    expect_range(&seen.list[1], 106, 110, 7);
    ranges_look_segment(&set, 110 * PAGE, &seen);
    assert_int_equal(seen.count, 3);
    expect_range(&seen.list[2], 114, 120, 9);
    ranges_look_segment(&set, 101 * PAGE, &seen);
    assert_int_equal(seen.count, 3);
    assert_int_equal(ranges_of_segment(&set, 7), 8 * PAGE);
    ranges_inherit(&child, &set);
    ranges_take(&set, 103 * PAGE, 120 * PAGE, &seen);
    assert_int_equal(ranges_of_segment(&set, 7), 3 * PAGE);
    assert_int_equal(ranges_of_segment(&set, 9), 0);
    assert_int_equal(ranges_of_segment(&child, 7), 8 * PAGE);
    assert_int_equal(ranges_of_segment(&child, 0), 0);
    ranges_clear(&set);
    ranges_clear(&child);
    range_list_clear(&seen);
}

/* Shared memory without a name is counted from its second place on; it is no segment. */
static void test_shared(void **state)
{
    (void)state;
    struct ranges set = {0}, child = {0};
    struct range_list seen = {0};
    uint32_t id = ranges_anonymous_id(1);
    assert_int_not_equal(id, ranges_anonymous_id(2));
    ranges_add(&set, of_segment(100, 104, 100, id));
    ranges_look_segment(&set, 100 * PAGE, &seen);
    assert_int_equal(seen.count, 0);
    assert_int_equal(ranges_of_segment(&set, id), 0);
    ranges_share(&set, id);
    ranges_share(&set, id);
    ranges_add(&set, of_segment(200, 203, 199, id));
    assert_int_equal(ranges_of_segment(&set, id), 7 * PAGE);
    ranges_inherit(&child, &set);
    assert_int_equal(ranges_of_segment(&child, id), 7 * PAGE);
    ranges_clear(&set);
    ranges_clear(&child);
    range_list_clear(&seen);
}

/* However often something is covered, in whatever order: it is one. */
static void test_cover(void **state)
{
    (void)state;
    struct ranges set = {0};
    ranges_cover(&set, 10 * PAGE, 20 * PAGE);
    ranges_cover(&set, 30 * PAGE, 40 * PAGE);
    ranges_cover(&set, 12 * PAGE, 12 * PAGE);
    ranges_cover(&set, 15 * PAGE, 16 * PAGE);
    assert_int_equal(set.count, 2);
    ranges_cover(&set, 15 * PAGE, 35 * PAGE);
    assert_int_equal(set.count, 1);
    assert_int_equal(ranges_above(&set, 0)->begin, 10 * PAGE);
    assert_int_equal(ranges_above(&set, 0)->end, 40 * PAGE);
    ranges_clear(&set);
}

/* Against a byte a page: long enough ranges for few leaves, or single pages for many. */
static void random_against_array(int pages, int longest, int steps)
{
    unsigned char *wanted = calloc((size_t)pages, 1);
    struct ranges set = {0};

    srand(3);
    for (int step = 1; step < steps; step++) {
        struct range_list taken = {0};
        int begin = rand() % pages, end = begin + 1 + rand() % longest;
        uint64_t bytes = 0, wanted_bytes = 0;
        end = end < pages ? end : pages;
        ranges_take(&set, (uint64_t)begin * PAGE, (uint64_t)end * PAGE, &taken);
        for (size_t i = 0; i < taken.count; i++)
            bytes += taken.list[i].end - taken.list[i].begin;
        for (int i = begin; i < end; i++)
            wanted_bytes += wanted[i] ? PAGE : 0;
        assert_int_equal(bytes, wanted_bytes);
        unsigned char class = rand() % 16 > step * 16 / steps ? (unsigned char)(1 + step % 255) : 0;
        if (class)
            ranges_add(&set, (struct range){.begin = (uint64_t)begin * PAGE,
                                            .end = (uint64_t)end * PAGE,
                                            .class = class});
        memset(wanted + begin, class, (size_t)(end - begin));
        range_list_clear(&taken);
    }
    size_t count = 0;
    uint64_t at = 0;
    for (const struct range *r = nth(&set, 0); r; r = ranges_above(&set, r->end), count++) {
        assert_true(at <= r->begin && r->begin < r->end);
        at = r->end;
        for (uint64_t page = r->begin / PAGE; page < r->end / PAGE; page++) {
            assert_int_equal(wanted[page], r->class);
            wanted[page] = 0;
        }
    }
    assert_int_equal(count, set.count);
    for (int i = 0; i < pages; i++)
        assert_int_equal(wanted[i], 0);
    ranges_clear(&set);
    free(wanted);
}

static void test_random(void **state)
{
    (void)state;
    random_against_array(200, 20, 5000);
    random_against_array(20000, 3, 100000);
    random_against_array(3000, 2000, 20000);
}

/* As the kernel gives them, each below the one before, and from below. */
static void test_many(void **state)
{
    (void)state;
    enum { PAGES = 50000 };
    struct ranges set = {0}, child = {0};
    struct range_list taken = {0};
    for (uint64_t i = PAGES; i-- > 0;)
        ranges_add(&set, (struct range){.begin = 2 * i * PAGE, .end = (2 * i + 1) * PAGE});
    for (uint64_t i = PAGES; i < 2 * PAGES; i++)
        ranges_add(&set, (struct range){.begin = 2 * i * PAGE, .end = (2 * i + 1) * PAGE});
    assert_int_equal(set.count, 2 * PAGES);
    ranges_inherit(&child, &set);
    assert_int_equal(ranges_take(&set, PAGE, 4 * PAGES * PAGE, &taken), 2 * PAGES - 1);
    assert_int_equal(set.count, 1);
    expect(&set, 0, 0, 1, 0);
    assert_int_equal(child.count, 2 * PAGES);
    assert_true(nth(&child, 1)->is_inherited);
    ranges_clear(&set);
    ranges_clear(&child);
    range_list_clear(&taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_middle_splits), cmocka_unit_test(test_over_several),
        cmocka_unit_test(test_nothing_there), cmocka_unit_test(test_whole_pages),
        cmocka_unit_test(test_join),          cmocka_unit_test(test_same),
        cmocka_unit_test(test_segments),      cmocka_unit_test(test_shared),
        cmocka_unit_test(test_cover),         cmocka_unit_test(test_random),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
