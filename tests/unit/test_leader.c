/* test_leader.c - when a family's first process only starts others, and what it became last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "leader.h"

#define SIZE 5

/* 0 became 1 by exec; that started 2, which became 3, and 4. */
static struct kin kin[SIZE] = {{.kind = KIN_FIRST, .starter = KIN_NONE},
                               {.kind = KIN_BECAME, .starter = 0},
                               {.kind = KIN_FORK, .starter = 1},
                               {.kind = KIN_BECAME, .starter = 2},
                               {.kind = KIN_EXEC, .starter = 1}};
static struct relative relatives[SIZE];
static size_t order[SIZE] = {0, 1, 2, 3, 4};
static struct family family = {
    .kin = kin, .relatives = relatives, .count = SIZE, .order = order, .order_count = SIZE};

/* Of memory; whoever has most of it has the smallest heap. */
static void set_peaks(const uint64_t peaks[SIZE])
{
    for (size_t i = 0; i < SIZE; i++) {
        relatives[i].totals.memory_peak_bytes = peaks[i];
        relatives[i].totals.peak_bytes = 1000 - peaks[i];
        relatives[i].has_figures = 1;
    }
}

static void test_a_mere_leader(void **state)
{
    (void)state;
    size_t biggest;
    set_peaks((uint64_t[]){50, 100, 1, 400, 400});
    assert_true(leader_only_starts(&family, &biggest));
    assert_int_equal(biggest, 3); /* of equals the first */
    set_peaks((uint64_t[]){50, 100, 1, 399, 3});
    assert_false(leader_only_starts(&family, &biggest));
    assert_int_equal(leader_biggest(&family, SERIES_MEMORY, LEADER_PROCESS), 3);
    set_peaks((uint64_t[]){101, 100, 1, 2, 400}); /* the image before the exec counts, too */
    assert_false(leader_only_starts(&family, &biggest));
    set_peaks((uint64_t[]){0, 0, 0, 0, 0});
    assert_false(leader_only_starts(&family, &biggest));
    set_peaks((uint64_t[]){0, 0, 0, 0, 4});
    assert_true(leader_only_starts(&family, &biggest));
    assert_int_equal(biggest, 4);
}

/* 3 holds most, 4 the largest heap, 2 most mapped memory; and who starts others only for one of
 * these need not do so for another. */
static void test_by_series(void **state)
{
    (void)state;
    static const uint64_t heap[SIZE] = {1, 100, 10, 200, 400}, mapped[SIZE] = {0, 20, 500, 450, 7},
                          memory[SIZE] = {1, 120, 505, 650, 407};
    size_t biggest;
    set_peaks(memory);
    for (size_t i = 0; i < SIZE; i++) {
        relatives[i].totals.peak_bytes = heap[i];
        relatives[i].totals.mapped_peak_bytes = mapped[i];
    }
    assert_int_equal(leader_biggest(&family, SERIES_HEAP, LEADER_PROCESS), 4);
    assert_int_equal(leader_biggest(&family, SERIES_MAPPED, LEADER_PROCESS), 2);
    assert_true(leader_only_starts(&family, &biggest));
    assert_int_equal(biggest, 3);
    assert_true(leader_only_starts_by(&family, SERIES_MAPPED, LEADER_PROCESS, &biggest));
    assert_int_equal(biggest, 2);
    assert_true(leader_only_starts_by(&family, SERIES_HEAP, LEADER_PROCESS, &biggest));
    relatives[1].totals.peak_bytes = 101;
    assert_false(leader_only_starts_by(&family, SERIES_HEAP, LEADER_PROCESS, &biggest));
    assert_true(leader_only_starts(&family, &biggest));
    relatives[1].totals.mapped_peak_bytes = 126;
    assert_false(leader_only_starts_by(&family, SERIES_MAPPED, LEADER_PROCESS, &biggest));
    assert_true(leader_only_starts(&family, &biggest));
}

static int image_only_starts(size_t *biggest)
{
    return leader_only_starts_by(&family, SERIES_MEMORY, LEADER_IMAGE, biggest);
}

/* Of a file the image is judged, not what that became; but that alone is another image only. */
static void test_an_image_that_is_a_mere_leader(void **state)
{
    (void)state;
    size_t biggest;
    set_peaks((uint64_t[]){50, 400, 1, 200, 4});
    assert_false(leader_only_starts(&family, &biggest));
    assert_true(image_only_starts(&biggest));
    assert_int_equal(biggest, 1);
    set_peaks((uint64_t[]){50, 400, 1, 500, 4});
    assert_true(image_only_starts(&biggest));
    assert_int_equal(biggest, 3);
    set_peaks((uint64_t[]){50, 400, 1, 199, 4});
    assert_false(image_only_starts(&biggest));
    family.order_count = 2;
    assert_false(image_only_starts(&biggest));
    family.order_count = SIZE;
}

static void test_what_is_not_known_is_not_biggest(void **state)
{
    (void)state;
    size_t biggest;
    set_peaks((uint64_t[]){1, 1, 1, 900, 500});
    relatives[3].has_figures = 0;
    assert_true(leader_only_starts(&family, &biggest));
    assert_int_equal(biggest, 4);
}

static void test_alone(void **state)
{
    (void)state;
    size_t biggest;
    set_peaks((uint64_t[]){1, 1, 1, 900, 500});
    family.order_count = 2;
    assert_false(leader_only_starts(&family, &biggest));
    assert_int_equal(biggest, KIN_NONE);
    family.order_count = SIZE;
}

static void test_last_image(void **state)
{
    (void)state;
    assert_int_equal(leader_last_image(&family), 1);
    family.self = 2;
    assert_int_equal(leader_last_image(&family), 3);
    family.self = 4;
    assert_int_equal(leader_last_image(&family), 4);
    family.self = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mere_leader),
        cmocka_unit_test(test_by_series),
        cmocka_unit_test(test_an_image_that_is_a_mere_leader),
        cmocka_unit_test(test_what_is_not_known_is_not_biggest),
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_last_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
