/* test_live.c - live blocks by address: any address, forks, and emptied pages. */
#include "live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Blocks whose number is their class. */
static struct blocks numbered(uint32_t count)
{
    struct blocks b = {0};
    for (uint32_t i = 1; i <= count; i++)
        assert_int_equal(blocks_add(&b, i, blocks_class(&b, i), 0), i);
    return b;
}

static uint32_t class_of(uint32_t number)
{
    return number & ~LIVE_INHERITED;
}

static void count_block(void *context, uint64_t address, uint32_t number)
{
    uint64_t *sum = context;
    sum[0]++;
    sum[1] += address ^ class_of(number);
}

static void test_any_address_is_its_own(void **state)
{
    (void)state;
    static const uint64_t addresses[] = {0,          1,      8,          15,        16,
                                         0x1000,     0x1008, 0x10000,    0x10001,   0x7fffffffffff,
                                         1ull << 60, ~0ull,  ~0ull - 15, 1ull << 63};
    struct blocks none = {0};
    struct live_table *t = live_new(&none);
    size_t count = sizeof addresses / sizeof *addresses;
    uint64_t sum[2] = {0}, wanted = 0;

    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(live_find(t, addresses[i]), 0);
        live_insert(t, addresses[i], i + 1);
        wanted += addresses[i] ^ (i + 1);
    }
    live_walk(t, count_block, sum);
    assert_int_equal(sum[0], count);
    assert_int_equal(sum[1], wanted);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(live_find(t, addresses[i]), i + 1);
        assert_int_equal(live_remove(t, addresses[i]), i + 1);
        assert_int_equal(live_remove(t, addresses[i]), 0);
    }
    live_free(t);
}

/* The child sees its parent's blocks by their classes, whoever writes first or ends first. */
static void test_fork_shares_until_written(void **state)
{
    (void)state;
    struct blocks of[3] = {numbered(4), numbered(4), {0}};
    struct live_table *parent = live_new(&of[0]), *child, *grandchild;

    live_insert(parent, 0x1000, 1);
    live_insert(parent, 0x2000, 2);
    live_insert(parent, 0x7000000, 3);
    child = live_fork(parent, &of[1]);
    assert_int_equal(live_remove(parent, 0x1000), 1);
    live_insert(parent, 0x3000, 3);
    assert_int_equal(live_find(parent, 0x2000), 2);
    assert_int_equal(live_find(child, 0x1000), LIVE_INHERITED | 1);
    assert_int_equal(live_find(child, 0x3000), 0);
    live_insert(child, 0x4000, 4);
    assert_int_equal(live_find(parent, 0x4000), 0);
    grandchild = live_fork(child, &of[2]);
    live_free(child);
    blocks_clear(&of[1]);
    uint64_t sum[2] = {0};
    live_walk(grandchild, count_block, sum); /* 0x7000000 is the parent's page still */
    assert_int_equal(sum[0], 4);
    assert_int_equal(sum[1], (0x1000 ^ 1) + (0x2000 ^ 2) + (0x4000 ^ 4) + (0x7000000 ^ 3));
    live_free(parent);
    blocks_clear(&of[0]);
    assert_int_equal(live_find(grandchild, 0x1000), LIVE_INHERITED | 1);
    assert_int_equal(live_find(grandchild, 0x4000), LIVE_INHERITED | 4);
    assert_int_equal(live_find(grandchild, 0x7000000), LIVE_INHERITED | 3);
    assert_int_equal(live_find(grandchild, 0x3000), 0);
    live_free(grandchild);
}

/* Many blocks far apart, one after the other: pages must not pile up (1 GiB if they did). */
static void test_emptied_pages_go(void **state)
{
    (void)state;
    struct blocks none = {0};
    struct live_table *t = live_new(&none);

    for (uint64_t i = 0; i < 65536; i++) {
        live_insert(t, i << 20, 1);
        assert_int_equal(live_remove(t, i << 20), 1);
        assert_true(t->pages.count < 1000);
    }
    live_insert(t, 0x100000, 2);
    assert_int_equal(live_find(t, 0x100000), 2);
    live_free(t);
}

static void test_random_against_array(void **state)
{
    (void)state;
    enum { ADDRESSES = 4096, CLASSES = 500 };
    static uint32_t wanted[2][ADDRESSES];
    struct blocks of[2] = {numbered(CLASSES), numbered(CLASSES)};
    struct live_table *t[2] = {live_new(&of[0]), NULL};

    srand(7);
    for (int step = 0; step < 200000; step++) {
        if (step == 50000) {
            t[1] = live_fork(t[0], &of[1]);
            for (int i = 0; i < ADDRESSES; i++)
                wanted[1][i] = wanted[0][i] ? wanted[0][i] | LIVE_INHERITED : 0;
        }
        int k = t[1] && rand() % 2, i = rand() % ADDRESSES;
        uint64_t address = (uint64_t)i * 24 + 0x550000000000;
        if (wanted[k][i]) {
            assert_int_equal(live_remove(t[k], address), wanted[k][i]);
            wanted[k][i] = 0;
        } else {
            wanted[k][i] = (uint32_t)step % CLASSES + 1;
            live_insert(t[k], address, wanted[k][i]);
        }
    }
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < ADDRESSES; i++)
            assert_int_equal(live_find(t[k], (uint64_t)i * 24 + 0x550000000000), wanted[k][i]);
        live_free(t[k]);
        blocks_clear(&of[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_address_is_its_own),
        cmocka_unit_test(test_fork_shares_until_written),
        cmocka_unit_test(test_emptied_pages_go),
        cmocka_unit_test(test_random_against_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
