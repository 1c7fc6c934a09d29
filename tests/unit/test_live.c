/* test_live.c - live blocks by address: any address, forks, and emptied pages. */
#include "live.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct block block(uint32_t class)
{
    return (struct block){.ns = class * 10u, .class = class};
}

static void count_block(void *context, uint64_t address, const struct block *b)
{
    uint64_t *sum = context;
    sum[0]++;
    sum[1] += address ^ b->class;
}

static void test_any_address_is_its_own(void **state)
{
    (void)state;
    static const uint64_t addresses[] = {0,          1,      8,          15,        16,
                                         0x1000,     0x1008, 0x10000,    0x10001,   0x7fffffffffff,
                                         1ull << 60, ~0ull,  ~0ull - 15, 1ull << 63};
    struct live_table *t = live_new();
    size_t count = sizeof addresses / sizeof *addresses;
    uint64_t sum[2] = {0}, wanted = 0;

    for (uint32_t i = 0; i < count; i++) {
        assert_null(live_find(t, addresses[i]));
        live_insert(t, addresses[i], block(i + 1));
        wanted += addresses[i] ^ (i + 1);
    }
    live_walk(t, count_block, sum);
    assert_int_equal(sum[0], count);
    assert_int_equal(sum[1], wanted);
    for (uint32_t i = 0; i < count; i++) {
        struct block out;
        assert_int_equal(live_find(t, addresses[i])->class, i + 1);
        assert_int_equal(live_remove(t, addresses[i], &out), 1);
        assert_int_equal(out.ns, (i + 1) * 10);
        assert_int_equal(live_remove(t, addresses[i], &out), 0);
    }
    live_free(t);
}

static void test_fork_shares_until_written(void **state)
{
    (void)state;
    struct live_table *parent = live_new(), *child, *grandchild;
    struct block out;

    live_insert(parent, 0x1000, block(1));
    live_insert(parent, 0x2000, block(2));
    child = live_fork(parent);
    assert_int_equal(live_remove(parent, 0x1000, &out), 1);
    live_insert(parent, 0x3000, block(3));
    assert_int_equal(live_find(child, 0x1000)->class, 1);
    assert_null(live_find(child, 0x3000));
    live_insert(child, 0x4000, block(4));
    assert_null(live_find(parent, 0x4000));
    grandchild = live_fork(child);
    live_free(child);
    live_free(parent);
    assert_int_equal(live_find(grandchild, 0x1000)->class, 1);
    assert_int_equal(live_find(grandchild, 0x4000)->class, 4);
    assert_null(live_find(grandchild, 0x3000));
    live_free(grandchild);
}

/* A million blocks far apart, one after the other: pages must not pile up (4 GiB if they did). */
static void test_emptied_pages_go(void **state)
{
    (void)state;
    struct live_table *t = live_new();
    struct block out;

    for (uint64_t i = 0; i < 65536; i++) {
        live_insert(t, i << 20, block(1));
        assert_int_equal(live_remove(t, i << 20, &out), 1);
    }
    live_insert(t, 0x100000, block(2));
    assert_int_equal(live_find(t, 0x100000)->class, 2);
    live_free(t);
}

static void test_random_against_array(void **state)
{
    (void)state;
    enum { ADDRESSES = 4096 };
    static uint32_t wanted[2][ADDRESSES];
    struct live_table *t[2] = {live_new(), NULL};
    struct block out;

    srand(7);
    for (int step = 0; step < 200000; step++) {
        if (step == 50000) {
            t[1] = live_fork(t[0]);
            for (int i = 0; i < ADDRESSES; i++)
                wanted[1][i] = wanted[0][i];
        }
        int k = t[1] && rand() % 2, i = rand() % ADDRESSES;
        uint64_t address = (uint64_t)i * 24 + 0x550000000000;
        if (wanted[k][i]) {
            assert_int_equal(live_remove(t[k], address, &out), 1);
            assert_int_equal(out.class, wanted[k][i]);
            wanted[k][i] = 0;
        } else {
            wanted[k][i] = (uint32_t)step + 1;
            live_insert(t[k], address, block(wanted[k][i]));
        }
    }
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < ADDRESSES; i++) {
            const struct block *b = live_find(t[k], (uint64_t)i * 24 + 0x550000000000);
            assert_int_equal(b ? b->class : 0, wanted[k][i]);
        }
        live_free(t[k]);
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
