/* test_functions.c - stack tree, exact figures, activations: numbers worked out by hand. */
#include "heap.h"
#include "spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNKNOWN, MAIN, A, B, NEW, INLINED, FUNCTIONS };
enum { AT_UNKNOWN, AT_MAIN10, AT_MAIN20, AT_A, AT_B, AT_NEW, AT_INLINED10, AT_INLINED20, AT_A_NEW };

static struct function functions[FUNCTIONS] = {
    [UNKNOWN] = {.name = "[unknown]"},
    [MAIN] = {.name = "main"},
    [A] = {.name = "a"},
    [B] = {.name = "b"},
    [NEW] = {.name = "operator new(unsigned long)", .flags = FUNCTION_ALLOCATOR},
    [INLINED] = {.name = "inlined"},
};
static struct frame frames[] = {{MAIN, 10, ""}, {MAIN, 20, ""},   {A, 1, ""},     {B, 1, ""},
                                {NEW, 1, ""},   {INLINED, 5, ""}, {MAIN, 10, ""}, {INLINED, 6, ""},
                                {MAIN, 20, ""}, {NEW, 1, ""},     {A, 2, ""}};
static struct location locations[] = {
    [AT_UNKNOWN] = {.flags = LOCATION_UNKNOWN},
    [AT_MAIN10] = {.frame_first = 0, .frame_count = 1},
    [AT_MAIN20] = {.frame_first = 1, .frame_count = 1},
    [AT_A] = {.frame_first = 2, .frame_count = 1},
    [AT_B] = {.frame_first = 3, .frame_count = 1},
    [AT_NEW] = {.frame_first = 4, .frame_count = 1, .flags = LOCATION_HIDDEN},
    [AT_INLINED10] = {.frame_first = 5, .frame_count = 2},
    [AT_INLINED20] = {.frame_first = 7, .frame_count = 2},
    [AT_A_NEW] = {.frame_first = 9, .frame_count = 2},
};

struct world {
    struct image *image;
    struct tree tree;
    struct heap heap;
    struct path path;
    struct heap_moment last;
};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->image = image_new();
    w->image->functions = functions;
    w->image->function_count = FUNCTIONS;
    w->image->frames = frames;
    w->image->frame_count = sizeof frames / sizeof *frames;
    w->image->locations = locations;
    w->image->location_count = sizeof locations / sizeof *locations;
    tree_init(&w->tree, w->image);
    w->path.who = 3;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    path_clear(&w->path);
    heap_clear(&w->heap);
    tree_clear(&w->tree);
    image_free(w->image);
    free(w);
    return 0;
}

/* A stack, outermost first, ended by 0. */
static uint32_t stack(struct world *w, const uint32_t *list)
{
    uint32_t node = 0;
    for (; *list; list++)
        node = tree_child(&w->tree, node, *list);
    return node;
}
#define STACK(...) stack(w, (uint32_t[]){__VA_ARGS__, 0})

/* How often the function is on the call path of the stack. */
static int has(struct world *w, uint32_t node, uint32_t function)
{
    int found = 0;
    for (uint32_t i = tree_charge(&w->tree, node).calls; i; i = w->tree.calls[i].parent)
        found += w->tree.calls[i].function == function;
    return found;
}

static uint32_t count_of(struct world *w, uint32_t node)
{
    return w->tree.calls[tree_charge(&w->tree, node).calls].depth;
}

static uint32_t self_of(struct world *w, uint32_t node)
{
    return tree_charge(&w->tree, node).self;
}

static void test_each_function_once(void **state)
{
    struct world *w = *state;
    uint32_t s = STACK(AT_MAIN10, AT_A, AT_B, AT_A, AT_MAIN20, AT_A);
    assert_int_equal(count_of(w, s), 3);
    assert_int_equal(self_of(w, s), A);
    assert_true(has(w, s, MAIN) == 1 && has(w, s, A) == 1 && has(w, s, B) == 1);
    assert_int_equal(STACK(AT_MAIN10, AT_A), STACK(AT_MAIN10, AT_A));
    assert_true(STACK(AT_MAIN10, AT_A) != STACK(AT_MAIN20, AT_A));
    assert_int_equal(tree_charge(&w->tree, s).calls, /* lines do not matter, nor recursion */
                     w->tree.nodes[STACK(AT_MAIN20, AT_A, AT_B)].calls);
}

static void test_hidden_only_at_the_leaf(void **state)
{
    struct world *w = *state;
    uint32_t s = STACK(AT_MAIN10, AT_A, AT_NEW);
    assert_int_equal(self_of(w, s), A);
    assert_int_equal(count_of(w, s), 2);
    s = STACK(AT_MAIN10, AT_NEW, AT_B); /* a new handler */
    assert_int_equal(self_of(w, s), B);
    assert_int_equal(count_of(w, s), 3);
    assert_int_equal(has(w, s, NEW), 1);
    s = STACK(AT_MAIN10, AT_A_NEW); /* operator new inlined into a */
    assert_int_equal(self_of(w, s), A);
    assert_int_equal(count_of(w, s), 2);
    assert_int_equal(has(w, s, NEW), 0);
    s = STACK(AT_NEW);
    assert_int_equal(self_of(w, s), UNKNOWN);
    assert_int_equal(count_of(w, s), 1);
    assert_int_equal(self_of(w, 0), UNKNOWN);
    assert_int_equal(has(w, 0, UNKNOWN), 1);
}

static void test_frames_in_order(void **state)
{
    struct world *w = *state;
    uint32_t node = STACK(AT_INLINED10, AT_NEW, AT_A, AT_NEW), inner = 0;
    const uint32_t wanted[] = {A, NEW, INLINED, MAIN};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(stack_next_frame(w->image, &node, &inner)->function, wanted[i]);
    assert_null(stack_next_frame(w->image, &node, &inner));
    assert_null(stack_next_frame(w->image, &node, &inner));
}

static void test_deep_recursion_is_cheap(void **state)
{
    struct world *w = *state;
    uint32_t node = tree_child(&w->tree, 0, AT_MAIN10);
    for (int i = 0; i < 200000; i++) {
        node = tree_child(&w->tree, node, i % 2 ? AT_A : AT_B);
        if (i % 10 == 0)
            assert_true(count_of(w, node) <= 3);
    }
    assert_int_equal(count_of(w, node), 3);
}

static void allocate(struct world *w, uint32_t node, uint64_t size, uint64_t ns)
{
    struct stack_figures more = {size, 1, 1, size, 0};
    heap_allocate(&w->heap, &w->tree, tree_charge(&w->tree, node), size,
                  (struct instant){ns, w->path.who}, 0);
    figures_count(&w->heap.figures, node, &more);
    heap_settle(&w->heap, ns);
}

static void release(struct world *w, uint32_t node, uint64_t size, uint64_t ns)
{
    struct stack_figures less = {0 - size, -1ull, 0, 0, 0};
    heap_release(&w->heap, &w->tree, tree_charge(&w->tree, node), size, 0);
    figures_count(&w->heap.figures, node, &less);
    heap_settle(&w->heap, ns);
}

static const struct function_usage *usage(const struct process *p, uint32_t function)
{
    for (size_t i = 0; i < p->function_count; i++)
        if (p->functions[i].function == function)
            return &p->functions[i];
    return NULL;
}

/*
 *  ns  event                 program  A incl (self)  B incl (self)
 *  10  + main,a        100       100      100 (100)
 *  20  + main,a,a       50       150      150 (150)    the first peak
 *  30  - main,a        100        50       50 (50)
 *  40  + main,b         90       140       50           90 (90)
 *  50  + main,b,a       30       170       80 (80)     120 (90)   the program's peak
 *  60  + main,b          0       170
 *  70  - main,a,a       50       120       30 (30)
 *  80  + main,b          5       125                   125 (95)
 */
static void test_own_peaks_and_at_peak(void **state)
{
    struct world *w = *state;
    struct process p = {0};
    allocate(w, STACK(AT_MAIN10, AT_A), 100, 10);
    allocate(w, STACK(AT_MAIN10, AT_A, AT_A), 50, 20);
    release(w, STACK(AT_MAIN10, AT_A), 100, 30);
    allocate(w, STACK(AT_MAIN20, AT_B), 90, 40);
    allocate(w, STACK(AT_MAIN20, AT_B, AT_A), 30, 50);
    allocate(w, STACK(AT_MAIN20, AT_B), 0, 60);
    release(w, STACK(AT_MAIN10, AT_A, AT_A), 50, 70);
    allocate(w, STACK(AT_MAIN20, AT_B), 5, 80);
    heap_fill(&w->heap, &w->tree, &p, 1);
    assert_int_equal(p.totals.peak_bytes, 170);
    assert_int_equal(p.totals.peak_ns, 50);
    assert_int_equal(p.totals.live_at_end_bytes, 125);
    const struct function_usage *a = usage(&p, A), *b = usage(&p, B), *m = usage(&p, MAIN);
    assert_int_equal(a->heap.inclusive.own_peak_bytes, 150);
    assert_int_equal(a->heap.inclusive.own_peak_ns, 20);
    assert_int_equal(a->heap.self.own_peak_bytes, 150);
    assert_int_equal(a->heap.inclusive.at_peak_bytes, 80);
    assert_int_equal(a->heap.self.at_peak_bytes, 80);
    assert_int_equal(a->heap.inclusive.allocations, 3);
    assert_int_equal(a->heap.inclusive.live_at_end_bytes, 30);
    assert_int_equal(b->heap.inclusive.own_peak_bytes, 125);
    assert_int_equal(b->heap.inclusive.own_peak_ns, 80);
    assert_int_equal(b->heap.inclusive.at_peak_bytes, 120);
    assert_int_equal(b->heap.self.at_peak_bytes, 90);
    assert_int_equal(b->heap.self.own_peak_bytes, 95);
    assert_int_equal(b->heap.self.live_at_end_blocks, 3);
    assert_int_equal(m->heap.inclusive.own_peak_bytes, 170);
    assert_int_equal(m->heap.inclusive.at_peak_bytes, 170);
    assert_int_equal(m->heap.self.own_peak_bytes, 0);
    assert_int_equal(m->heap.inclusive.allocations, 6);
    assert_null(usage(&p, INLINED));
}

/* Ties: the first. */
static void test_equal_peaks(void **state)
{
    struct world *w = *state;
    struct process p = {0};
    uint32_t node = STACK(AT_MAIN10, AT_A);
    allocate(w, node, 10, 1);
    release(w, node, 10, 2);
    allocate(w, node, 10, 3);
    release(w, node, 10, 4);
    heap_fill(&w->heap, &w->tree, &p, 1);
    assert_int_equal(p.totals.peak_ns, 1);
    assert_int_equal(usage(&p, A)->heap.inclusive.own_peak_ns, 1);
    assert_int_equal(usage(&p, A)->heap.inclusive.at_peak_bytes, 10);
}

/* The whole stack of an event, then an allocation with it. */
static void event(struct world *w, uint64_t ns, uint64_t size, const uint32_t *list)
{
    path_begin(&w->path, 0, 1);
    for (; *list; list++)
        path_push(&w->path, &w->tree, *list);
    path_end(&w->path, &w->tree, &w->heap, (struct heap_moment){ns, w->heap.live_bytes, 0},
             w->last);
    allocate(w, path_leaf(&w->path), size, ns);
    w->last = (struct heap_moment){ns, w->heap.live_bytes, 0};
}
#define EVENT(ns, size, ...) event(w, ns, size, (uint32_t[]){__VA_ARGS__, 0})

static void expect_span(const struct world *w, uint32_t function, uint64_t begin, uint64_t end,
                        uint64_t begin_heap, uint64_t end_heap)
{
    const struct span *s = pages_find(&w->heap.figures.spans, function, sizeof *s);
    assert_true(s && s->valid);
    assert_int_equal(s->begin_ns, begin);
    assert_int_equal(s->end_ns, end);
    assert_int_equal(s->begin_level, begin_heap);
    assert_int_equal(s->end_level, end_heap);
}

/* The thread of a function's span, -1 where it has none yet. */
static int thread_of_span(const struct world *w, uint32_t function)
{
    const struct span *s = pages_find(&w->heap.figures.spans, function, sizeof *s);
    return s && s->valid ? (int)s->thread : -1;
}

/* How many activations of a function have ended. */
static uint64_t ended(const struct world *w, uint32_t function)
{
    const struct holding *held = pages_find(&w->heap.figures.inclusive, function, sizeof *held);
    return held ? held->ended : 0;
}

/* main calls a twice; each a is an activation, main is one through both its lines. The peak of a
 * lies in the second, b's in the first of two. */
static void test_spans(void **state)
{
    struct world *w = *state;
    EVENT(10, 5, AT_MAIN10, AT_A);
    EVENT(20, 5, AT_MAIN10, AT_A, AT_B);
    release(w, path_leaf(&w->path), 5, 21);
    EVENT(30, 5, AT_MAIN20, AT_A);
    EVENT(40, 7, AT_MAIN20, AT_A);
    EVENT(50, 1, AT_MAIN20, AT_B);
    path_close(&w->path, &w->tree, &w->heap, w->last, (struct heap_moment){99, 1000, 0});
    expect_span(w, MAIN, 10, 99, 0, 1000);
    expect_span(w, A, 30, 40, 5, 17);
    expect_span(w, B, 20, 20, 5, 10);
    assert_int_equal(thread_of_span(w, A), 0);
    assert_int_equal(ended(w, MAIN), 1);
    assert_int_equal(ended(w, A), 2);
    assert_int_equal(ended(w, B), 2);
    assert_int_equal(ended(w, INLINED), 0);
}

/* An activation counts once, whatever its function allocates. */
static void test_activations_with_mapped_memory(void **state)
{
    struct world *w = *state;
    struct process p = {0};
    EVENT(10, 5, AT_MAIN10, AT_A);
    heap_map(&w->heap, &w->tree, path_leaf(&w->path), 4096, (struct instant){15, 3}, 0);
    heap_settle_mapped(&w->heap, 15);
    EVENT(20, 5, AT_MAIN20, AT_A);
    EVENT(30, 5, AT_MAIN20, AT_B);
    path_close(&w->path, &w->tree, &w->heap, w->last, w->last);
    heap_fill(&w->heap, &w->tree, &p, 1);
    assert_int_equal(usage(&p, MAIN)->activations, 1);
    assert_int_equal(usage(&p, A)->activations, 2);
    assert_int_equal(usage(&p, B)->activations, 1);
}

/* A changed line in the same function goes on; with an inlined frame only the physical one does. */
static void test_pivot(void **state)
{
    struct world *w = *state;
    EVENT(10, 1, AT_MAIN10, AT_A);
    EVENT(20, 1, AT_INLINED10, AT_A);
    EVENT(30, 1, AT_INLINED20, AT_A);
    EVENT(40, 1, AT_INLINED20);
    EVENT(50, 1, AT_MAIN20, AT_B);
    path_close(&w->path, &w->tree, &w->heap, w->last, (struct heap_moment){60, 0, 0});
    expect_span(w, MAIN, 10, 60, 0, 0);
    expect_span(w, INLINED, 20, 40, 1, 4); /* main at 10 and 20 inline the same function */
    expect_span(w, A, 30, 30, 2, 3);
    expect_span(w, B, 50, 50, 4, 5); /* what came later may be main's */
}

/* Of a recursion the outermost activation counts. */
static void test_recursive_span(void **state)
{
    struct world *w = *state;
    EVENT(10, 1, AT_MAIN10, AT_A);
    EVENT(20, 1, AT_MAIN10, AT_A, AT_B, AT_A);
    EVENT(30, 1, AT_MAIN10, AT_A, AT_B);
    EVENT(40, 1, AT_MAIN10);
    expect_span(w, A, 10, 30, 0, 3);
    expect_span(w, B, 20, 30, 1, 3);
    assert_int_equal(thread_of_span(w, MAIN), -1); /* it goes on */
    assert_int_equal(ended(w, A), 1);
    assert_int_equal(ended(w, B), 1);
}

/* A new chunk repeats the stack: nothing ended. Another thread on the stream: everything did. */
static void test_restart_and_close(void **state)
{
    struct world *w = *state;
    EVENT(10, 1, AT_MAIN10, AT_A);
    EVENT(20, 1, AT_MAIN10, AT_A); /* EVENT always restarts */
    path_close(&w->path, &w->tree, &w->heap, w->last, w->last);
    expect_span(w, A, 10, 20, 0, 2);
    w->path.thread = 4;
    path_begin(&w->path, 0, 0); /* relative to the stack that stayed */
    path_end(&w->path, &w->tree, &w->heap, (struct heap_moment){30, 2, 0}, w->last);
    assert_int_equal(path_leaf(&w->path), STACK(AT_MAIN10, AT_A));
    allocate(w, path_leaf(&w->path), 9, 30);
    path_close(&w->path, &w->tree, &w->heap, (struct heap_moment){30, 11, 0},
               (struct heap_moment){35, 11, 0});
    expect_span(w, A, 30, 30, 2, 11);
    assert_int_equal(thread_of_span(w, A), 4);
    assert_int_equal(ended(w, A), 2); /* one in each thread */
}

static void test_pop_too_many(void **state)
{
    struct world *w = *state;
    EVENT(10, 1, AT_MAIN10, AT_A);
    path_begin(&w->path, 4000000000u, 0);
    path_end(&w->path, &w->tree, &w->heap, (struct heap_moment){20, 1, 0}, w->last);
    assert_int_equal(path_leaf(&w->path), 0);
    path_begin(&w->path, 1, 0);
    path_push(&w->path, &w->tree, AT_B);
    path_end(&w->path, &w->tree, &w->heap, (struct heap_moment){30, 1, 0}, w->last);
    assert_int_equal(path_leaf(&w->path), STACK(AT_B));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_function_once),
        TEST(test_hidden_only_at_the_leaf),
        TEST(test_frames_in_order),
        TEST(test_deep_recursion_is_cheap),
        TEST(test_own_peaks_and_at_peak),
        TEST(test_equal_peaks),
        TEST(test_spans),
        TEST(test_activations_with_mapped_memory),
        TEST(test_pivot),
        TEST(test_recursive_span),
        TEST(test_restart_and_close),
        TEST(test_pop_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
