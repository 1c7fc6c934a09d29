/* test_own_peaks.c - the lazy figures of functions.c against the plain way (plain_peaks.h). Random
 * programs of several streams, with recursion, inlined and hidden frames, frees from anywhere,
 * reallocs, mappings, and stacks that come and go. */
#include "plain_peaks.h"
#include "xalloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIVE_MAX 200

struct world {
    struct image *image;
    struct tree tree;
    struct heap heap;
    struct path paths[STREAMS];
    struct heap_moment last[STREAMS], shown[STREAMS];
    struct plain plain;
    struct block blocks[LIVE_MAX], pieces[LIVE_MAX];
    size_t block_count, piece_count;
    uint64_t ns, maps; /* maps: from this time on, counted from 1, there are mappings; 0 never */
    uint32_t random;
};

static uint32_t pick(struct world *w, uint32_t below)
{
    w->random = w->random * 1664525u + 1013904223u;
    return (w->random >> 8) % below;
}

/* ---- a random program ---- */

static void make_locations(struct world *w)
{
    uint32_t frame = 0;
    for (uint32_t f = 0; f < FUNCTIONS; f++)
        functions[f] = (struct function){
            .name = "f", .flags = f >= FUNCTIONS - 2 ? (uint32_t)FUNCTION_ALLOCATOR : 0};
    locations[0] = (struct location){.flags = LOCATION_UNKNOWN};
    for (uint32_t i = 1; i < LOCATIONS; i++) {
        struct location *l = &locations[i];
        uint32_t visible = 0;
        *l = (struct location){.frame_first = frame, .frame_count = i % 3 ? 1 : 1 + pick(w, 3)};
        for (uint32_t k = 0; k < l->frame_count; k++) {
            frames[frame].function = 1 + pick(w, FUNCTIONS - 1);
            visible += !(functions[frames[frame++].function].flags & FUNCTION_ALLOCATOR);
        }
        l->flags = visible ? 0 : (uint32_t)LOCATION_HIDDEN;
    }
}

/* The stream's next stack: some frames go, some come; sometimes none are left. */
static uint32_t next_stack(struct world *w, uint32_t who, uint32_t *stack)
{
    const struct plain_stream *s = &w->plain.streams[who];
    uint32_t depth = s->depth - (s->depth ? pick(w, s->depth < 4 ? s->depth + 1 : 4) : 0);
    memcpy(stack, s->stack, depth * sizeof *stack);
    for (uint32_t more = pick(w, 4); more > 0 && depth < DEEPEST; more--) {
        stack[depth] = pick(w, pick(w, 2) ? LOCATIONS : 6);
        if (stack[depth] || depth == 0) /* location 0 is "what lies further out is unknown" */
            depth++;
    }
    return depth;
}

/* Tells both sides, ours in one of the three ways there are. */
static void change_stack(struct world *w, uint32_t who, struct heap_moment now)
{
    uint32_t stack[DEEPEST], depth = next_stack(w, who, stack), node = 0, kept = 0;
    struct plain_stream *s = &w->plain.streams[who];
    struct path *path = &w->paths[who];
    while (kept < depth && kept < s->depth && stack[kept] == s->stack[kept])
        kept++;
    switch (pick(w, 3)) {
    case 0:
        path_begin(path, 0, 1);
        kept = 0;
        break;
    case 1:
        path_begin(path, s->depth - kept, 0);
        break;
    default:
        kept = depth ? pick(w, depth) : 0;
        for (uint32_t i = 0; i < kept; i++)
            node = tree_child(&w->tree, node, stack[i]);
        path_rebase(path, &w->tree, node);
    }
    for (uint32_t i = kept; i < depth; i++)
        path_push(path, &w->tree, stack[i]);
    path_end(path, &w->tree, &w->heap, now, w->shown[who]);
    plain_stack(&w->plain, who, stack, depth, now, w->shown[who]);
}

static struct heap_moment moment_now(const struct world *w)
{
    return (struct heap_moment){w->ns, w->heap.live_bytes, w->heap.mapped_bytes};
}

static void release(struct world *w)
{
    size_t i = pick(w, (uint32_t)w->block_count);
    const struct block *b = &w->blocks[i];
    struct stack_figures less = {0 - b->size, -1ull, 0, 0, 0};
    heap_release(&w->heap, &w->tree, tree_charge(&w->tree, b->node), b->size, 0);
    figures_count(&w->heap.figures, b->node, &less);
    plain_change(&w->plain, SERIES_HEAP, b, -(int64_t)b->size, w->ns, 0);
    w->blocks[i] = w->blocks[--w->block_count];
}

/* A block, or a piece, of the stream's present stack. */
static void make_block(struct world *w, uint32_t who, struct block *b)
{
    const struct plain_stream *s = &w->plain.streams[who];
    memcpy(b->stack, s->stack, sizeof b->stack);
    b->depth = s->depth;
    b->size = pick(w, 8) ? pick(w, 100) : 0;
    b->node = path_leaf(&w->paths[who]);
}

static void allocate(struct world *w, uint32_t who)
{
    struct block *b = &w->blocks[w->block_count++];
    make_block(w, who, b);
    struct stack_figures more = {b->size, 1, 1, b->size, 0};
    heap_allocate(&w->heap, &w->tree, tree_charge(&w->tree, b->node), b->size,
                  (struct instant){w->ns, who}, 0);
    figures_count(&w->heap.figures, b->node, &more);
    plain_change(&w->plain, SERIES_HEAP, b, (int64_t)b->size, w->ns, who);
}

static void settle(struct world *w)
{
    plain_settle(&w->plain, w->ns);
    assert_int_equal(w->heap.live_bytes, w->plain.series[SERIES_HEAP].level);
    assert_int_equal(w->heap.mapped_bytes, w->plain.series[SERIES_MAPPED].level);
}

/* ---- mapped memory ---- */

static void map(struct world *w, uint32_t who)
{
    struct block *piece = &w->pieces[w->piece_count++];
    make_block(w, who, piece);
    piece->size++;
    heap_map(&w->heap, &w->tree, piece->node, piece->size, (struct instant){w->ns, who}, 0);
    plain_change(&w->plain, SERIES_MAPPED, piece, (int64_t)piece->size, w->ns, who);
}

/* A part of a piece goes, or all of it. */
static void unmap(struct world *w)
{
    size_t i = pick(w, (uint32_t)w->piece_count);
    struct block *piece = &w->pieces[i];
    uint64_t part = 1 + pick(w, (uint32_t)piece->size);
    heap_unmap(&w->heap, &w->tree, piece->node, part, 0);
    plain_change(&w->plain, SERIES_MAPPED, piece, -(int64_t)part, w->ns, 0);
    piece->size -= part;
    if (piece->size == 0)
        *piece = w->pieces[--w->piece_count];
}

/* Returns whether the event had a stack. */
static int step_mapping(struct world *w, uint32_t who)
{
    int maps = w->piece_count < LIVE_MAX && (w->piece_count == 0 || pick(w, 2));
    if (maps) {
        change_stack(w, who, moment_now(w));
        if (w->piece_count && pick(w, 4) == 0)
            unmap(w); /* an mremap is one step */
        map(w, who);
    } else {
        unmap(w);
    }
    heap_settle_mapped(&w->heap, w->ns);
    return maps;
}

/* ---- one event ---- */

static int step_heap(struct world *w, uint32_t who, uint32_t what)
{
    int grows = w->block_count < LIVE_MAX && (w->block_count == 0 || what < 55);
    int is_shown = grows || what > 90;
    if (is_shown) {
        if (pick(w, 3))
            change_stack(w, who, moment_now(w));
        if (!grows || (what < 20 && w->block_count))
            release(w); /* a realloc is one step */
        allocate(w, who);
    } else {
        release(w);
    }
    heap_settle(&w->heap, w->ns);
    return is_shown;
}

static void begin_anew(struct world *w, uint32_t who)
{
    path_close(&w->paths[who], &w->tree, &w->heap, w->shown[who], w->last[who]);
    plain_close(&w->plain, who, w->shown[who], w->last[who]);
    w->plain.streams[who].depth = 0;
    path_begin(&w->paths[who], 0, 1);
    path_end(&w->paths[who], &w->tree, &w->heap, w->last[who], w->last[who]);
}

/* An allocation, a free or a realloc, in some programs a mapping or its end, and now and then a
 * stream begins anew. */
static void step(struct world *w)
{
    uint32_t who = pick(w, STREAMS), what = pick(w, 100);
    w->ns += pick(w, 3);
    if (what == 99) {
        begin_anew(w, who);
        return;
    }
    int maps = w->maps && w->ns + 1 > w->maps && (w->ns == 0 || pick(w, 4) == 0);
    int is_shown = maps ? step_mapping(w, who) : step_heap(w, who, what);
    settle(w);
    w->last[who] = moment_now(w);
    if (is_shown)
        w->shown[who] = w->last[who];
}

static void expect_series(const struct plain_series *p, uint32_t function,
                          const struct series_usage *u)
{
    const struct usage *of[2] = {&u->self, &u->inclusive};
    const struct span *s = &u->span, *wanted = &p->spans[function];
    for (int kind = 0; kind < 2; kind++) {
        assert_int_equal(of[kind]->own_peak_bytes, p->peak[kind][function]);
        assert_int_equal(of[kind]->own_peak_ns, p->peak_ns[kind][function]);
        assert_int_equal(of[kind]->at_peak_bytes, p->at_peak[kind][function]);
        assert_int_equal(of[kind]->live_at_end_bytes, p->live[kind][function]);
    }
    assert_int_equal(s->valid, wanted->valid);
    assert_int_equal(s->thread, wanted->thread);
    assert_int_equal(s->begin_ns, wanted->begin_ns);
    assert_int_equal(s->end_ns, wanted->end_ns);
    assert_int_equal(s->begin_level, wanted->begin_level);
    assert_int_equal(s->end_level, wanted->end_level);
}

static void expect_usage(const struct plain *p, struct function_usage *u)
{
    for (enum series k = 0; k < SERIES_COUNT; k++)
        expect_series(&p->series[k], u->function, function_series(u, k));
    assert_int_equal(u->activations, p->begun[u->function]);
    assert_int_equal(u->mapped_then.self_bytes, p->mapped_then[0][u->function]);
    assert_int_equal(u->mapped_then.inclusive_bytes, p->mapped_then[1][u->function]);
}

static void expect_totals(const struct plain *p, const struct totals *t)
{
    const struct plain_series *s = p->series;
    assert_int_equal(t->peak_bytes, s[SERIES_HEAP].highest);
    assert_int_equal(t->peak_ns, s[SERIES_HEAP].highest_ns);
    assert_int_equal(t->mapped_peak_bytes, s[SERIES_MAPPED].highest);
    assert_int_equal(t->mapped_peak_ns, s[SERIES_MAPPED].highest_ns);
    assert_int_equal(t->memory_peak_bytes, s[SERIES_MEMORY].highest);
    assert_int_equal(t->memory_peak_ns, s[SERIES_MEMORY].highest_ns);
    assert_int_equal(t->mapped_then_bytes, p->mapped_level_then);
}

static void run_program(uint32_t seed, int events, uint64_t maps)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct process process = {0};
    w->random = seed;
    w->maps = maps;
    make_locations(w);
    w->image = image_new();
    w->image->functions = functions;
    w->image->function_count = FUNCTIONS;
    w->image->frames = frames;
    w->image->frame_count = sizeof frames / sizeof *frames;
    w->image->locations = locations;
    w->image->location_count = LOCATIONS;
    tree_init(&w->tree, w->image);
    for (uint32_t i = 0; i < STREAMS; i++)
        w->paths[i].who = w->paths[i].thread = i;
    for (int i = 0; i < events; i++)
        step(w);
    for (uint32_t i = 0; i < STREAMS; i++) {
        path_close(&w->paths[i], &w->tree, &w->heap, w->shown[i], w->last[i]);
        plain_close(&w->plain, i, w->shown[i], w->last[i]);
    }
    heap_fill(&w->heap, &w->tree, &process, 1);
    expect_totals(&w->plain, &process.totals);
    for (size_t i = 0; i < process.function_count; i++)
        expect_usage(&w->plain, &process.functions[i]);
    for (uint32_t i = 0; i < STREAMS; i++)
        path_clear(&w->paths[i]);
    heap_clear(&w->heap);
    tree_clear(&w->tree);
    image_free(w->image);
    free(w);
}

static void test_short_programs(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 2000; seed++)
        run_program(seed, 60, seed % 4 == 3 ? 1 : seed % 4 * 20); /* 1: a mapping comes first */
}

static void test_long_programs(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++)
        run_program(seed, 20000, seed % 3 * 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_programs),
        cmocka_unit_test(test_long_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
