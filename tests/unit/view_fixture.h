/*
 * view_fixture.h - a small image made by hand, for the tests of the views: a heap that grows to
 * 8 MiB at 2 s and shrinks, and functions with known own peaks.
 */
#ifndef VIEW_FIXTURE_H
#define VIEW_FIXTURE_H

#include "family.h"
#include <string.h>

#define FIXTURE_MIB       (1ull << 20)
#define FIXTURE_SECOND    1000000000ull
#define FIXTURE_FUNCTIONS 16

struct view_fixture {
    struct image image;
    struct process process;
    struct function functions[FIXTURE_FUNCTIONS];
    struct function_usage usages[FIXTURE_FUNCTIONS];
    struct frame frames[FIXTURE_FUNCTIONS];
    struct object objects[2];
    struct location locations[FIXTURE_FUNCTIONS + 1];
    struct stack stacks[FIXTURE_FUNCTIONS + 1];
    struct bucket buckets[5];
    struct sample samples[3];
    struct leak leaks[2];
    struct failure failures[2];
    char *argv[2];
};

/* Adds a function whose stack node is a child of the one added before it. */
static inline void fixture_function(struct view_fixture *v, const char *name, uint32_t flags,
                                    uint64_t peak, double begin, double end)
{
    uint32_t i = (uint32_t)v->image.function_count++;
    v->functions[i] = (struct function){name, "/usr/bin/app", "src/app.c", 10 + i, flags};
    v->usages[i].function = i;
    v->usages[i].heap.inclusive = (struct usage){.allocations = 10,
                                                 .allocated_bytes = peak * 2,
                                                 .own_peak_bytes = peak,
                                                 .own_peak_ns = (uint64_t)(end * 1e9),
                                                 .at_peak_bytes = peak / 2,
                                                 .live_at_end_bytes = i,
                                                 .live_at_end_blocks = 1};
    v->usages[i].heap.span = (struct span){
        (uint64_t)(begin * 1e9), (uint64_t)(end * 1e9), FIXTURE_MIB, 2 * FIXTURE_MIB, 0, 1};
    v->frames[i] = (struct frame){i, 20 + i, "src/app.c"};
    v->locations[i + 1] = (struct location){.frame_first = i,
                                            .frame_count = 1,
                                            .object = 1,
                                            .offset = 0x1010 + 0x100 * (uint64_t)i,
                                            .begin = 0x1000 + 0x100 * (uint64_t)i};
    v->stacks[i + 1] = (struct stack){i, i + 1};
    v->process.function_count = v->image.function_count;
    v->image.frame_count = v->image.function_count;
    v->image.location_count = v->image.stack_count = v->image.function_count + 1;
}

static inline void fixture_make(struct view_fixture *v)
{
    memset(v, 0, sizeof *v);
    v->argv[0] = "./app";
    v->argv[1] = "it's";
    for (int i = 0; i < 5; i++) {
        static const uint64_t mib[] = {1, 4, 8, 3, 2};
        uint64_t bytes = mib[i] * FIXTURE_MIB, ns = (uint64_t)i * FIXTURE_SECOND;
        v->buckets[i] = bucket_of(ns, bytes);
    }
    for (int i = 0; i < 3; i++)
        v->samples[i] = (struct sample){(uint64_t)i * FIXTURE_SECOND, 10 * FIXTURE_MIB};
    v->image.argv = v->argv;
    v->image.argc = 2;
    v->image.executable = v->image.folder = v->image.host = "";
    v->image.epoch_ns = 1795318609855000000ull;
    v->image.functions = v->functions;
    v->image.frames = v->frames;
    v->objects[1] = (struct object){"/usr/bin/app", "0123456789abcdef0123456789abcdef01234567"};
    v->objects[0] = (struct object){"", ""};
    v->image.objects = v->objects;
    v->image.object_count = 2;
    v->image.locations = v->locations;
    v->image.stacks = v->stacks;
    v->image.processes = &v->process;
    v->image.process_count = 1;
    v->image.stack_count = v->image.location_count = 1;
    v->process.pid = 42;
    v->process.end_ns = 5 * FIXTURE_SECOND;
    v->process.thread_count = 1;
    v->process.functions = v->usages;
    v->process.heap = v->buckets;
    v->process.heap_count = 5;
    v->process.samples = v->samples;
    v->process.sample_count = 3;
    v->process.totals = (struct totals){.allocations = 100,
                                        .frees = 98,
                                        .allocated_bytes = 20 * FIXTURE_MIB,
                                        .peak_bytes = 8 * FIXTURE_MIB,
                                        .peak_ns = 2 * FIXTURE_SECOND,
                                        .live_at_end_bytes = 300,
                                        .live_at_end_blocks = 3,
                                        .rss_peak_bytes = 10 * FIXTURE_MIB};
}

/* The process of the fixture, and one of another recording that it started. */
struct family_fixture {
    struct family family;
    struct kin kin[2];
    struct relative relatives[2];
    size_t order[2];
    unsigned char in_tree[2], is_left[2];
};

static inline void fixture_family(struct family_fixture *f, const struct view_fixture *v)
{
    *f = (struct family_fixture){.order = {0, 1}, .in_tree = {1, 1}};
    f->kin[0] = (struct kin){.pid = 42, .begin_ns = v->image.epoch_ns, .forker = KIN_NONE};
    f->kin[1] = (struct kin){.pid = 43,
                             .parent_pid = 42,
                             .begin_ns = v->image.epoch_ns + FIXTURE_SECOND,
                             .forker = KIN_NONE,
                             .kind = KIN_EXEC,
                             .depth = 1};
    f->relatives[0] = (struct relative){.recording = "root.mprof",
                                        .command = "/usr/bin/app it's",
                                        .has_figures = 1,
                                        .end_ns = v->image.epoch_ns + v->process.end_ns,
                                        .ending = {.exec = ""},
                                        .totals = v->process.totals};
    f->relatives[1] = (struct relative){.recording = "child.mprof",
                                        .command = "/usr/bin/a/very/long/path/to/helper --with "
                                                   "many --options and=values and files",
                                        .ending = {.exec = ""}};
    f->family = (struct family){.kin = f->kin,
                                .relatives = f->relatives,
                                .count = 2,
                                .order = f->order,
                                .order_count = 2,
                                .in_tree = f->in_tree,
                                .is_left = f->is_left};
}

#endif
