/* test_threads.c - the accounts of threads against a plain count over every block. */
#include "blocks.h"
#include "heap.h"
#include "xalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIVE_MAX 500

/* The same figures of one series, counted without any art. */
struct plain_series {
    uint64_t live, peak, peak_ns, at_peak, allocations, bytes;
};
struct plain {
    struct plain_series series[SERIES_COUNT];
    uint64_t blocks, temporary, mapped_then;
};

struct held {
    uint32_t owner;
    uint64_t size;
};

struct world {
    struct tree tree;
    struct image *image;
    struct heap heap;
    struct plain *plain;
    uint32_t threads, met;
    struct held live[LIVE_MAX], pieces[LIVE_MAX];
    uint32_t live_count, piece_count;
    uint32_t maps; /* at what progress, in percent, mappings begin; 100 never */
    uint64_t ns, level[SERIES_COUNT], highest[SERIES_COUNT], random;
};

static uint32_t pick(struct world *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((w->random >> 33) % below);
}

static void begin(struct world *w, uint32_t threads, uint64_t seed)
{
    static struct function unknown = {.name = "[unknown]"};
    static struct location nowhere = {.flags = LOCATION_UNKNOWN};

    memset(w, 0, sizeof *w);
    w->random = seed;
    w->threads = threads;
    w->plain = xcalloc(threads + 1, sizeof *w->plain);
    w->image = image_new();
    w->image->functions = &unknown;
    w->image->function_count = 1;
    w->image->locations = &nowhere;
    w->image->location_count = 1;
    tree_init(&w->tree, w->image);
}

static void end(struct world *w)
{
    heap_clear(&w->heap);
    tree_clear(&w->tree);
    image_free(w->image);
    free(w->plain);
}

static void meet(struct world *w, uint32_t thread)
{
    char name[32];
    int bytes = snprintf(name, sizeof name, "thread %u", thread);
    struct thread_facts facts = {thread * 2, (int32_t)thread + 100, name, (size_t)bytes};

    threads_meet(&w->heap, thread, &facts, w->ns);
    if (thread == w->met)
        w->met++;
}

static void change(struct world *w, enum series part, uint32_t owner, uint64_t bytes)
{
    for (enum series k = 0; k < SERIES_COUNT; k++) {
        struct plain_series *s = &w->plain[owner].series[k];
        if (k != part && k != SERIES_MEMORY)
            continue;
        w->level[k] += bytes;
        s->live += bytes;
        if (s->live > s->peak) {
            s->peak = s->live;
            s->peak_ns = w->ns;
        }
    }
}

static void add(struct world *w, enum series part, uint32_t owner, uint64_t bytes)
{
    change(w, part, owner, bytes);
    for (enum series k = 0; k < SERIES_COUNT; k++)
        if (k == part || k == SERIES_MEMORY) {
            w->plain[owner].series[k].allocations++;
            w->plain[owner].series[k].bytes += bytes;
        }
}

static void release(struct world *w, int temporary)
{
    uint32_t i = temporary ? w->live_count - 1 : pick(w, w->live_count);
    struct held *block = &w->live[i];
    struct plain *p = &w->plain[block->owner];

    heap_release(&w->heap, &w->tree, tree_charge(&w->tree, 0), block->size, block->owner);
    change(w, SERIES_HEAP, block->owner, 0 - block->size);
    p->blocks--;
    if (temporary) {
        heap_temporary(&w->heap, block->owner);
        p->temporary++;
    }
    *block = w->live[--w->live_count];
}

static void allocate(struct world *w, uint32_t thread)
{
    uint32_t owner = threads_account(thread);
    uint64_t size = pick(w, 1000);

    heap_allocate(&w->heap, &w->tree, tree_charge(&w->tree, 0), size, (struct instant){w->ns, 1},
                  owner);
    add(w, SERIES_HEAP, owner, size);
    w->plain[owner].blocks++;
    w->live[w->live_count++] = (struct held){owner, size};
}

static void map(struct world *w, uint32_t thread)
{
    uint32_t owner = threads_account(thread);
    uint64_t size = 1 + pick(w, 3000);

    heap_map(&w->heap, &w->tree, 0, size, (struct instant){w->ns, 1}, owner);
    add(w, SERIES_MAPPED, owner, size);
    w->pieces[w->piece_count++] = (struct held){owner, size};
}

/* A part of a piece goes, or all of it. */
static void unmap(struct world *w)
{
    struct held *piece = &w->pieces[pick(w, w->piece_count)];
    uint64_t part = 1 + pick(w, (uint32_t)piece->size);

    heap_unmap(&w->heap, &w->tree, 0, part, piece->owner);
    change(w, SERIES_MAPPED, piece->owner, 0 - part);
    piece->size -= part;
    if (piece->size == 0)
        *piece = w->pieces[--w->piece_count];
}

static void new_peak(struct world *w, enum series k)
{
    for (uint32_t i = 0; i <= w->threads; i++) {
        struct plain *p = &w->plain[i];
        p->series[k].at_peak = p->series[k].live;
        if (k == SERIES_MEMORY)
            p->mapped_then = p->series[SERIES_MAPPED].live;
    }
}

static void settle(struct world *w)
{
    for (enum series k = 0; k < SERIES_COUNT; k++)
        if (w->level[k] > w->highest[k]) {
            w->highest[k] = w->level[k];
            new_peak(w, k);
        }
}

static void step_mapping(struct world *w, uint32_t thread)
{
    int grows = w->piece_count == 0 || (w->piece_count < LIVE_MAX && pick(w, 2));

    if (!grows || (w->piece_count && pick(w, 4) == 0))
        unmap(w); /* an mremap is one step */
    if (grows)
        map(w, thread);
    heap_settle_mapped(&w->heap, w->ns);
}

static void step_heap(struct world *w, uint32_t thread)
{
    if (w->live_count == 0 || (w->live_count < LIVE_MAX && pick(w, 100) < 55)) {
        allocate(w, thread);
    } else if (w->live_count < LIVE_MAX && pick(w, 4) == 0) {
        release(w, 0); /* a realloc is one step */
        allocate(w, thread);
    } else {
        release(w, pick(w, 3) == 0);
    }
    heap_settle(&w->heap, w->ns);
}

/* One event of a thread; new threads come as time goes on. */
static void step(struct world *w, uint32_t progress)
{
    uint32_t known = 1 + (uint32_t)((uint64_t)(w->threads - 1) * progress / 100);
    uint32_t thread = w->met < known ? w->met : pick(w, w->met);

    w->ns += 1 + pick(w, 3);
    meet(w, thread);
    if (progress > w->maps && pick(w, 8) == 0)
        step_mapping(w, thread);
    else
        step_heap(w, thread);
    settle(w);
}

static void expect_series(const struct plain_series *p, const struct usage *u)
{
    assert_int_equal(u->allocations, p->allocations);
    assert_int_equal(u->allocated_bytes, p->bytes);
    assert_int_equal(u->own_peak_bytes, p->peak);
    assert_int_equal(u->own_peak_ns, p->peak_ns);
    assert_int_equal(u->at_peak_bytes, p->at_peak);
    assert_int_equal(u->live_at_end_bytes, p->live);
}

static void expect(struct world *w, size_t count)
{
    struct process process = {0};

    heap_fill(&w->heap, &w->tree, &process, 1);
    assert_int_equal(process.thread_usage_count, count);
    for (size_t i = 0; i < count; i++) {
        const struct thread_usage *t = &process.threads[i];
        const struct plain *p = &w->plain[i];
        expect_series(&p->series[SERIES_HEAP], &t->heap);
        expect_series(&p->series[SERIES_MAPPED], &t->mapped);
        expect_series(&p->series[SERIES_MEMORY], &t->memory);
        assert_int_equal(t->mapped_then_bytes, p->mapped_then);
        assert_int_equal(t->heap.live_at_end_blocks, p->blocks);
        assert_int_equal(t->heap.temporary, p->temporary);
        assert_int_equal(t->serial, 2 * i);
    }
}

/* maps: as in struct world. */
static void run_program(uint32_t threads, uint64_t seed, uint32_t events, uint32_t maps)
{
    struct world w;

    begin(&w, threads, seed);
    w.maps = maps;
    for (uint32_t i = 0; i < events; i++)
        step(&w, i * 100 / events + 1);
    assert_int_equal(w.met, threads);
    expect(&w, threads <= THREADS_KEPT ? threads : THREADS_KEPT + 1);
    end(&w);
}

static void test_one_thread_has_the_heaps_figures(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 50; seed++)
        run_program(1, seed, 400, seed % 3 * 50);
}

static void test_several_threads(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++)
        run_program(2 + (uint32_t)seed % 7, seed, 600, 100);
}

/* The first mapping comes before the second thread does, or after all of them. */
static void test_several_threads_that_map(void **state)
{
    static const uint32_t maps[] = {0, 1, 5, 95};
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++)
        run_program(2 + (uint32_t)seed % 7, seed, 600, maps[seed % 4]);
}

static void test_very_many_threads_share_the_last_account(void **state)
{
    struct world w;
    struct process process = {0};
    (void)state;

    run_program(THREADS_KEPT + 500, 7, 20000, 50);
    begin(&w, THREADS_KEPT + 500, 1);
    for (uint32_t i = 0; i < THREADS_KEPT + 500; i++)
        meet(&w, i);
    meet(&w, THREADS_KEPT + 3); /* for the second time */
    heap_fill(&w.heap, &w.tree, &process, 1);
    assert_int_equal(process.threads[THREADS_KEPT].threads, 500);
    assert_int_equal(process.threads[THREADS_KEPT - 1].threads, 1);
    assert_string_equal(process.threads[THREADS_KEPT].name, "");
    end(&w);
}

static void test_names_and_times(void **state)
{
    struct world w;
    struct process process = {0};
    (void)state;

    begin(&w, 2, 1);
    w.ns = 10;
    meet(&w, 0);
    w.ns = 20;
    meet(&w, 1);
    threads_meet(&w.heap, 1, &(struct thread_facts){2, 0, "a name far too long for it", 26}, 30);
    threads_meet(&w.heap, 0, &(struct thread_facts){0, 0, NULL, 0}, 25); /* nothing new */
    threads_seen(&w.heap.threads, 1, 50);
    threads_seen(&w.heap.threads, 1, 40);
    threads_seen(&w.heap.threads, 2, 60); /* there is none */
    heap_fill(&w.heap, &w.tree, &process, 1);
    assert_int_equal(process.thread_usage_count, 2);
    assert_string_equal(process.threads[0].name, "thread 0");
    assert_int_equal(process.threads[0].tid, 100);
    assert_int_equal(process.threads[0].begin_ns, 10);
    assert_int_equal(process.threads[0].end_ns, 25);
    assert_string_equal(process.threads[1].name, "a name far too ");
    assert_int_equal(process.threads[1].tid, 101);
    assert_int_equal(process.threads[1].begin_ns, 20);
    assert_int_equal(process.threads[1].end_ns, 50);
    end(&w);
}

static void test_owners_of_blocks(void **state)
{
    struct blocks b = {0};
    (void)state;

    for (uint32_t i = 1; i <= 300; i++) { /* none has another owner than 0 */
        assert_int_equal(blocks_add(&b, 1, blocks_class(&b, 1), i), i);
        blocks_own(&b, i, 0);
    }
    assert_null(b.owners);
    blocks_own(&b, 7, 3);
    for (uint32_t i = 301; i <= 3000; i++) {
        blocks_add(&b, 1, blocks_class(&b, 1), i);
        blocks_own(&b, i, i % 5);
    }
    blocks_own(&b, 7, 0);
    blocks_own(&b, 8, 4);
    for (uint32_t i = 1; i <= 3000; i++)
        assert_int_equal(blocks_owner(&b, i), i == 8 ? 4 : i <= 300 ? 0 : i % 5);
    blocks_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread_has_the_heaps_figures),
        cmocka_unit_test(test_several_threads),
        cmocka_unit_test(test_several_threads_that_map),
        cmocka_unit_test(test_very_many_threads_share_the_last_account),
        cmocka_unit_test(test_names_and_times),
        cmocka_unit_test(test_owners_of_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
