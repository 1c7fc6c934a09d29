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

static void expect(const struct ranges *set, size_t i, uint64_t begin, uint64_t end, uint32_t class)
{
    assert_true(i < set->count);
    assert_int_equal(set->list[i].begin, begin * PAGE);
    assert_int_equal(set->list[i].end, end * PAGE);
    assert_int_equal(set->list[i].class, class);
}

static void test_middle_splits(void **state)
{
    (void)state;
    struct ranges set = two_maps(), taken = {0};
    assert_int_equal(ranges_take(&set, 12 * PAGE, 15 * PAGE, &taken), 1);
    assert_int_equal(set.count, 3);
    expect(&set, 0, 10, 12, 1);
    expect(&set, 1, 15, 20, 1);
    expect(&set, 2, 40, 50, 2);
    expect(&taken, 0, 12, 15, 1);
    ranges_clear(&set);
    ranges_clear(&taken);
}

static void test_over_several(void **state)
{
    (void)state;
    struct ranges set = two_maps(), taken = {0};
    ranges_add(&set, (struct range){.begin = 25 * PAGE, .end = 30 * PAGE, .class = 3});
    assert_int_equal(ranges_take(&set, 15 * PAGE, 45 * PAGE, &taken), 3);
    assert_int_equal(set.count, 2);
    expect(&set, 0, 10, 15, 1);
    expect(&set, 1, 45, 50, 2);
    assert_int_equal(taken.count, 3);
    expect(&taken, 0, 15, 20, 1);
    expect(&taken, 1, 25, 30, 3);
    expect(&taken, 2, 40, 45, 2);
    ranges_clear(&set);
    ranges_clear(&taken);
}

static void test_nothing_there(void **state)
{
    (void)state;
    struct ranges set = two_maps(), taken = {0};
    assert_int_equal(ranges_take(&set, 20 * PAGE, 40 * PAGE, &taken), 0);
    assert_int_equal(ranges_take(&set, 15 * PAGE, 15 * PAGE, &taken), 0);
    assert_int_equal(ranges_take(&set, 60 * PAGE, 50 * PAGE, &taken), 0);
    assert_int_equal(set.count, 2);
    assert_int_equal(taken.count, 0);
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

/* What is put back is one with its neighbours again, but not with what is another's. */
static void test_put_back(void **state)
{
    (void)state;
    struct ranges set = two_maps(), taken = {0}, covered = {0};
    ranges_add(&set, (struct range){.begin = 20 * PAGE, .end = 40 * PAGE, .class = 1, .ns = 7});
    for (uint64_t i = 0; i < 40; i++) {
        ranges_take(&set, (10 + i) * PAGE, (12 + i % 5 + i) * PAGE, &taken);
        for (size_t k = taken.count; k-- > 0;)
            ranges_put_back(&set, taken.list[k], &covered);
        taken.count = 0;
        assert_int_equal(set.count, 3);
    }
    expect(&set, 0, 10, 20, 1);
    expect(&set, 1, 20, 40, 1);
    expect(&set, 2, 40, 50, 2);
    assert_int_equal(covered.count, 0);
    ranges_clear(&set);
    ranges_clear(&taken);
}

/* Where another range came meanwhile, there is no place. */
static void test_put_back_around(void **state)
{
    (void)state;
    struct ranges set = two_maps(), taken = {0}, covered = {0};
    ranges_take(&set, 12 * PAGE, 20 * PAGE, &taken);
    ranges_add(&set, (struct range){.begin = 14 * PAGE, .end = 16 * PAGE, .class = 3});
    ranges_add(&set, (struct range){.begin = 19 * PAGE, .end = 25 * PAGE, .class = 4});
    ranges_put_back(&set, taken.list[0], &covered);
    assert_int_equal(set.count, 5);
    expect(&set, 0, 10, 14, 1);
    expect(&set, 1, 14, 16, 3);
    expect(&set, 2, 16, 19, 1);
    expect(&set, 3, 19, 25, 4);
    assert_int_equal(covered.count, 2);
    expect(&covered, 0, 14, 16, 1);
    expect(&covered, 1, 19, 20, 1);
    ranges_put_back(&set, (struct range){.begin = 0, .end = 60 * PAGE, .class = 5}, &covered);
    assert_int_equal(covered.count, 7);
    expect(&set, 0, 0, 10, 5);
    expect(&set, 5, 25, 40, 5);
    expect(&set, 7, 50, 60, 5);
    ranges_clear(&set);
    ranges_clear(&taken);
    ranges_clear(&covered);
}

/* Against a byte a page. */
static void test_random_against_array(void **state)
{
    (void)state;
    enum { PAGES = 200 };
    unsigned char wanted[PAGES] = {0};
    struct ranges set = {0};

    srand(3);
    for (int step = 1; step < 5000; step++) {
        struct ranges taken = {0};
        int begin = rand() % PAGES, end = begin + 1 + rand() % 20;
        uint64_t bytes = 0, wanted_bytes = 0;
        end = end < PAGES ? end : PAGES;
        ranges_take(&set, (uint64_t)begin * PAGE, (uint64_t)end * PAGE, &taken);
        for (size_t i = 0; i < taken.count; i++)
            bytes += taken.list[i].end - taken.list[i].begin;
        for (int i = begin; i < end; i++)
            wanted_bytes += wanted[i] ? PAGE : 0;
        assert_int_equal(bytes, wanted_bytes);
        unsigned char class = rand() % 2 ? (unsigned char)(1 + step % 255) : 0;
        if (class)
            ranges_add(&set, (struct range){.begin = (uint64_t)begin * PAGE,
                                            .end = (uint64_t)end * PAGE,
                                            .class = class});
        memset(wanted + begin, class, (size_t)(end - begin));
        ranges_clear(&taken);
    }
    for (size_t i = 0; i < set.count; i++) {
        assert_true(set.list[i].begin < set.list[i].end);
        assert_true(i == 0 || set.list[i - 1].end <= set.list[i].begin);
        for (uint64_t page = set.list[i].begin / PAGE; page < set.list[i].end / PAGE; page++) {
            assert_int_equal(wanted[page], set.list[i].class);
            wanted[page] = 0;
        }
    }
    for (int i = 0; i < PAGES; i++)
        assert_int_equal(wanted[i], 0);
    ranges_clear(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_middle_splits),
        cmocka_unit_test(test_over_several),
        cmocka_unit_test(test_nothing_there),
        cmocka_unit_test(test_whole_pages),
        cmocka_unit_test(test_put_back),
        cmocka_unit_test(test_put_back_around),
        cmocka_unit_test(test_random_against_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
