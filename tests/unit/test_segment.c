/* test_segment.c - events to bytes and back: nothing lost, nothing believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture_format.h"
#include "segment.h"

#define CLASSES 500

static struct event_class classes[CLASSES];

static uint64_t seed = 1;
static uint64_t random_below(uint64_t limit)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) % limit;
}

static int fill_classes(void **state)
{
    (void)state;
    seed = 42;
    for (uint32_t i = 1; i < CLASSES; i++)
        classes[i] = (struct event_class){i, random_below(100000)};
    return 0;
}

/* Classes come in order, mostly; every kind occurs; time stands still, steps and leaps. */
static struct event random_event(uint32_t threads, uint64_t *ns, uint32_t *newest)
{
    struct event e = {.kind = (enum event_kind)random_below(9)};
    static uint32_t thread;
    if (random_below(4) == 0)
        thread = (uint32_t)random_below(threads) * 977;
    e.thread = thread;
    if (random_below(3) == 0)
        *ns += random_below(2000000);
    if (random_below(1000) == 0)
        *ns += random_below(1ull << 32) * 1000;
    e.ns = *ns;
    if (random_below(3) == 0 && *newest + 1 < CLASSES) {
        e.kind = EVENT_ALLOC;
        e.class = ++*newest;
    } else {
        e.class = (uint32_t)random_below(*newest + 1);
    }
    if (e.kind == EVENT_FREE_UNMATCHED)
        e.class = 0;
    e.bytes = e.kind == EVENT_UNMAP ? random_below(1u << 30) : classes[e.class].size;
    return e;
}

static void expect_event(const struct event *in, const struct event *out)
{
    assert_int_equal(in->kind, out->kind);
    assert_int_equal(in->thread, out->thread);
    assert_int_equal(in->class, out->class);
    assert_true(in->bytes == out->bytes);
    assert_true(in->ns / CAPTURE_TICK_NS * CAPTURE_TICK_NS == out->ns);
}

static void round_trip(uint32_t threads, size_t count, size_t segment_events)
{
    struct event *in = calloc(count, sizeof *in);
    struct segment_writer w = {0};
    struct bytes payload = {0};
    struct heap_level level = {0};
    uint64_t ns = 0;
    uint32_t newest = 0;
    size_t begin = 0;

    for (size_t i = 0; i < count; i++) {
        in[i] = random_event(threads, &ns, &newest);
        segment_add(&w, &in[i]);
        if (i + 1 - begin < segment_events && i + 1 < count)
            continue;
        struct segment_reader r;
        struct event e;
        segment_finish(&w, &payload);
        assert_int_equal(segment_open(&r, &payload, 0, NULL), 1);
        assert_true(r.head.level.heap == level.heap && r.head.level.mapped == level.mapped);
        assert_true(r.head.first_tick == in[begin].ns / CAPTURE_TICK_NS);
        assert_true(r.head.last_tick == in[i].ns / CAPTURE_TICK_NS);
        for (; begin <= i; begin++) {
            assert_int_equal(segment_next(&r, classes, CLASSES, CAPTURE_TICK_NS, &e), 1);
            expect_event(&in[begin], &e);
            heap_level_apply(&level, &e);
        }
        assert_int_equal(segment_next(&r, classes, CLASSES, CAPTURE_TICK_NS, &e), 0);
        segment_reader_free(&r);
    }
    assert_true(begin == count);
    segment_free(&w);
    bytes_free(&payload);
    free(in);
}

static void test_one_thread(void **state)
{
    (void)state;
    round_trip(1, 50000, 50000);
}

static void test_many_threads(void **state)
{
    (void)state;
    round_trip(3, 50000, 20000);
    round_trip(5000, 50000, 7001);
}

static void test_segments_of_one_event(void **state)
{
    (void)state;
    round_trip(4, 3000, 1);
}

static void test_largest_numbers(void **state)
{
    (void)state;
    struct event in[3] = {
        {.kind = EVENT_FREE_UNMATCHED, .thread = UINT32_MAX},
        {.kind = EVENT_UNMAP, .class = CLASSES - 1, .ns = 1ull << 62, .bytes = UINT64_MAX},
        {.kind = EVENT_FREE, .thread = UINT32_MAX, .class = CLASSES - 1, .ns = (1ull << 62) + 1},
    };
    struct segment_writer w = {0};
    struct bytes payload = {0};
    struct segment_reader r;
    struct event e;
    in[2].bytes = classes[CLASSES - 1].size;
    for (int i = 0; i < 3; i++)
        segment_add(&w, &in[i]);
    segment_finish(&w, &payload);
    assert_int_equal(segment_open(&r, &payload, 0, NULL), 1);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(segment_next(&r, classes, CLASSES, CAPTURE_TICK_NS, &e), 1);
        expect_event(&in[i], &e);
    }
    segment_reader_free(&r);
    segment_free(&w);
    bytes_free(&payload);
}

/* The usual program: allocation and free in turn take a byte each and hardly anything else. */
static void test_usual_event_is_one_byte(void **state)
{
    (void)state;
    struct segment_writer w = {0};
    struct bytes payload = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        struct event e = {
            .kind = i & 1 ? EVENT_FREE_TEMPORARY : EVENT_ALLOC, .class = 1 + i / 2 % 20, .ns = i};
        segment_add(&w, &e);
    }
    segment_finish(&w, &payload);
    assert_true(payload.size < 20100);
    segment_free(&w);
    bytes_free(&payload);
}

/* A class beyond the table, and bytes that were never events, end in an error and not in a crash.
 */
static void test_damage(void **state)
{
    (void)state;
    struct segment_writer w = {0};
    struct bytes good = {0}, bad = {0};
    uint64_t ns = 0;
    uint32_t newest = 0;
    for (int i = 0; i < 300; i++) {
        struct event e = random_event(5, &ns, &newest);
        segment_add(&w, &e);
    }
    segment_finish(&w, &good);
    for (int round = 0; round < 20000; round++) {
        struct segment_reader r;
        struct event e;
        bad.size = 0;
        bytes_append(&bad, good.data, round % 2 ? good.size : random_below(good.size));
        for (uint64_t hits = 1 + random_below(4); hits > 0 && bad.size > 0; hits--)
            bad.data[random_below(bad.size)] = (uint8_t)random_below(256);
        int steps = 0;
        if (segment_open(&r, &bad, 0, NULL))
            while (segment_next(&r, classes, newest, CAPTURE_TICK_NS, &e) > 0)
                assert_true(++steps <= (int)good.size && e.class < newest);
        segment_reader_free(&r);
    }
    segment_free(&w);
    bytes_free(&good);
    bytes_free(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_segments_of_one_event),
        cmocka_unit_test(test_largest_numbers),
        cmocka_unit_test(test_usual_event_is_one_byte),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, fill_classes, NULL);
}
