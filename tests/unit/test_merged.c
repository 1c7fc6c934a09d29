/* test_merged.c - two images made one: functions and stacks by what they are, figures added. */
#include "addresses.h"
#include "merged.h"
#include "view_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct function_usage *usage_of(const struct image *image, const char *name)
{
    const struct process *p = &image->processes[0];
    for (size_t i = 0; i < p->function_count; i++)
        if (strcmp(image->functions[p->functions[i].function].name, name) == 0)
            return &p->functions[i];
    fail_msg("no function %s", name);
    return NULL;
}

/* main > common > only_NAME, and a leak of common's and one of the last's. */
static void make(struct view_fixture *v, const char *only, uint64_t peak)
{
    fixture_make(v);
    fixture_function(v, "main", FUNCTION_MAIN, peak, 0, 5);
    fixture_function(v, "common", 0, peak / 2, 1, 4);
    fixture_function(v, only, 0, peak / 4, 2, 3);
    v->leaks[0] = (struct leak){2, 2, 300, 1000, 2000};
    v->leaks[1] = (struct leak){3, 1, 7, 500, 500};
    v->process.leaks = v->leaks;
    v->process.leak_count = 2;
    v->failures[0] = (struct failure){2, 2, 300, 200, 1000, 2000};
    v->failures[1] = (struct failure){3, 1, UINT64_MAX - 5, UINT64_MAX - 5, 400, 400};
    v->process.failures = v->failures;
    v->process.failure_count = 2;
    v->process.totals.failed = 3;
    v->usages[1].activations = 3; /* of common */
    v->process.quality.lost = 3;
}

/* Two images of a process, and a child: the thread that called exec counts once. */
static void test_threads_of_an_exec(void **state)
{
    (void)state;
    static struct view_fixture v[3];
    static const uint32_t threads[] = {3, 2, 1};
    struct merged *m = merged_new();
    for (int i = 0; i < 3; i++) {
        make(&v[i], "only", 4000);
        v[i].process.pid = i < 2 ? 42 : 43;
        v[i].process.start_time = 77;
        v[i].process.thread_count = threads[i];
        merged_add(m, &v[i].image, &v[i].process, 0, 0);
        merged_forget(m);
    }
    struct image *sum = merged_finish(m);
    assert_int_equal(sum->processes[0].thread_count, 3 + 1 + 1);
    image_free(sum);
}

static void test_two_images(void **state)
{
    (void)state;
    static struct view_fixture a, b;
    make(&a, "only_a", 4000);
    make(&b, "only_b", 8000);
    b.process.pid = 43;
    a.process.totals.rss_mark_bytes = 12 * FIXTURE_MIB;
    b.process.totals.rss_mark_bytes = 11 * FIXTURE_MIB;
    a.process.quality.loss = (struct loss){.allocations = 3, .since_ns = 4 * FIXTURE_SECOND};
    b.process.quality.loss = (struct loss){.frees = 2, .since_ns = 1 * FIXTURE_SECOND};
    /* The same functions under other numbers, and other file names under the same addresses. */
    struct function swapped = b.functions[0];
    b.functions[0] = b.functions[1];
    b.functions[1] = swapped;
    b.frames[0].function = 1;
    b.frames[1].function = 0;
    b.usages[0].function = 1;
    b.usages[1].function = 0;

    static struct module_gap gaps[] = {
        {"a.so", "gone", 1}, {"b.so", "gone", 1}, {"a.so", "zstd", 0}};
    a.image.gaps = gaps;
    b.image.gaps = gaps + 1;
    a.image.gap_count = b.image.gap_count = 2;

    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, 0, 0);
    merged_forget(m);
    merged_add(m, &b.image, &b.process, 10 * FIXTURE_SECOND, 0);
    merged_forget(m);
    struct image *sum = merged_finish(m);
    const struct process *p = &sum->processes[0];

    assert_int_equal(sum->process_count, 1);
    assert_int_equal(sum->function_count, 4);
    assert_int_equal(p->function_count, 4);
    assert_string_equal(sum->argv[0], "./app");
    assert_int_equal(p->pid, 42);
    assert_int_equal(p->end_ns, 15 * FIXTURE_SECOND);
    assert_int_equal(p->totals.allocations, 200);
    assert_int_equal(p->totals.frees, 196);
    assert_int_equal(p->quality.lost, 6);
    assert_int_equal(p->quality.loss.allocations, 3);
    assert_int_equal(p->quality.loss.frees, 2);
    assert_int_equal(p->quality.loss.since_ns, 4 * FIXTURE_SECOND); /* b begins at 10 s */
    assert_int_equal(p->thread_count, 2);
    /* One after the other: the highest of both, the first of equals. */
    assert_int_equal(p->totals.peak_bytes, 8 * FIXTURE_MIB);
    assert_int_equal(p->totals.peak_ns, 2 * FIXTURE_SECOND);
    assert_int_equal(p->totals.rss_peak_bytes, 10 * FIXTURE_MIB);
    assert_int_equal(p->totals.rss_mark_bytes, 12 * FIXTURE_MIB);

    const struct function_usage *common = usage_of(sum, "common");
    assert_int_equal(common->heap.inclusive.allocations, 20);
    assert_int_equal(common->heap.inclusive.allocated_bytes, 12000);
    assert_int_equal(common->heap.inclusive.own_peak_bytes, 4000); /* of b, which had more of it */
    assert_int_equal(common->heap.inclusive.own_peak_ns, 14 * FIXTURE_SECOND);
    assert_int_equal(usage_of(sum, "only_a")->heap.inclusive.allocations, 10);
    assert_int_equal(usage_of(sum, "only_b")->heap.inclusive.allocations, 10);

    assert_int_equal(sum->gap_count, 3); /* each once */
    assert_int_equal(p->quality.nameless_modules, 2);
    assert_int_equal(p->quality.undebugged_modules, 1);
    assert_string_equal(sum->gaps[2].module, "a.so");
    assert_string_equal(sum->gaps[2].reason, "zstd");
    assert_int_equal(sum->gaps[2].names, 0);

    assert_int_equal(common->activations, 6);
    assert_int_equal(p->totals.failed, 6);
    assert_int_equal(p->failure_count, 3);
    assert_int_equal(p->failures[2].count, 4);
    assert_int_equal(p->failures[2].bytes, 600);
    assert_int_equal(p->failures[2].largest_bytes, 200);
    assert_int_equal(p->failures[2].first_ns, 1000);
    assert_int_equal(p->failures[2].last_ns, 10 * FIXTURE_SECOND + 2000);
    assert_true(p->failures[0].largest_bytes == UINT64_MAX - 5);

    assert_int_equal(p->leak_count, 3);
    assert_int_equal(p->leaks[0].bytes, 600);
    assert_int_equal(p->leaks[0].blocks, 4);
    assert_int_equal(p->leaks[0].first_ns, 1000);
    assert_int_equal(p->leaks[0].last_ns, 10 * FIXTURE_SECOND + 2000);
    uint32_t node = p->leaks[0].stack, inner = 0;
    const struct frame *frame = stack_next_frame(sum, &node, &inner);
    assert_string_equal(sum->functions[frame->function].name, "common");
    const struct location *l = stack_location(sum, node);
    assert_true(l->offset == 0x1110 && l->begin == 0x1100);
    assert_string_equal(image_object(sum, l->object)->path, "/usr/bin/app");
    assert_int_equal(sum->object_count, 2);
    frame = stack_next_frame(sum, &node, &inner);
    assert_string_equal(sum->functions[frame->function].name, "main");
    assert_null(stack_next_frame(sum, &node, &inner));
    image_free(sum);
}

/* Call sites are the same where line, object and address are; a capture of version 1 knows neither
 * of these. */
static void test_call_sites(void **state)
{
    (void)state;
    static struct view_fixture v[4];
    struct merged *m = merged_new();
    for (int i = 0; i < 4; i++)
        make(&v[i], "only_a", 4000);
    v[1].objects[1].build_id = "another build";
    v[2].locations[2].offset++;
    for (int i = 0; i < 3; i++)
        v[3].locations[i + 1].object = 0;
    v[3].image.objects = NULL;
    v[3].image.object_count = 0;
    for (int i = 0; i < 4; i++)
        merged_add(m, &v[i].image, &v[i].process, 0, 0);
    struct image *sum = merged_finish(m);
    const struct process *p = &sum->processes[0];
    assert_int_equal(sum->object_count, 3);
    assert_int_equal(sum->function_count, 3);
    assert_int_equal(p->leak_count, 4 + 4); /* both lie on "common" */
    image_free(sum);
}

/* Both at a time: the line is the sum. */
static void test_lines_add_up(void **state)
{
    (void)state;
    static struct view_fixture a, b;
    make(&a, "only_a", 4000);
    make(&b, "only_a", 4000);
    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, 0, 0);
    merged_add(m, &b.image, &b.process, FIXTURE_SECOND, 1);
    struct image *sum = merged_finish(m);
    const struct process *p = &sum->processes[0];
    /* a: 1 4 8 3 2 and 0 at 5 s; b the same a second later, and goes on. */
    static const uint64_t mib[] = {1, 5, 12, 11, 5, 2};
    assert_int_equal(p->totals.peak_bytes, 12 * FIXTURE_MIB);
    assert_int_equal(p->totals.peak_ns, 2 * FIXTURE_SECOND);
    assert_int_equal(p->heap[p->heap_count - 1].last_bytes, 2 * FIXTURE_MIB);
    for (size_t i = 0; i < p->heap_count; i++)
        assert_int_equal(p->heap[i].last_bytes,
                         mib[p->heap[i].begin_ns / FIXTURE_SECOND] * FIXTURE_MIB);
    assert_int_equal(p->totals.rss_peak_bytes, 20 * FIXTURE_MIB);
    assert_int_equal(sum->function_count, 3);
    assert_true(sum->running);
    image_free(sum);
}

/* Gives the fixture mapped memory of so many MiB from 3 s on. The heap, which has 3 MiB then, is
 * highest at 2 s with 8; if the mapped memory is more than the rest, memory is so at 3 s. */
static void map_memory(struct view_fixture *v, struct bucket mapped[2], struct bucket memory[5],
                       uint64_t mib)
{
    static const uint64_t heap[] = {1, 4, 8, 3, 2};
    mapped[0] = bucket_of(0, 0);
    mapped[1] = bucket_of(3 * FIXTURE_SECOND, mib * FIXTURE_MIB);
    for (uint64_t i = 0; i < 5; i++) {
        memory[i] = bucket_of(i * FIXTURE_SECOND, (heap[i] + (i < 3 ? 0 : mib)) * FIXTURE_MIB);
        memory[i].max_mapped_bytes = (i < 3 ? 0 : mib) * FIXTURE_MIB;
    }
    v->process.mapped = mapped;
    v->process.mapped_count = 2;
    v->process.memory = memory;
    v->process.memory_count = 5;
    struct totals *t = &v->process.totals;
    int is_later = 3 + mib > 8;
    t->mapped_peak_bytes = mib * FIXTURE_MIB;
    t->mapped_peak_ns = 3 * FIXTURE_SECOND;
    t->memory_peak_bytes = (is_later ? 3 + mib : 8) * FIXTURE_MIB;
    t->memory_peak_ns = (is_later ? 3 : 2) * FIXTURE_SECOND;
    t->mapped_then_bytes = is_later ? mib * FIXTURE_MIB : 0;
}

/* The sum's memory is highest when one of them maps, not when their heaps are; what it consists of
 * then is of that moment. */
static void test_memory_adds_up(void **state)
{
    (void)state;
    static struct view_fixture a, b;
    struct bucket mapped[2][2], memory[2][5];
    make(&a, "only_a", 4000);
    make(&b, "only_a", 4000);
    map_memory(&a, mapped[0], memory[0], 20);
    map_memory(&b, mapped[1], memory[1], 1);
    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, 0, 0);
    merged_add(m, &b.image, &b.process, FIXTURE_SECOND, 0);
    struct image *sum = merged_finish(m);
    const struct totals *t = &sum->processes[0].totals;
    /* a, heap and mapped memory: 1 4 8 3+20 2+20; b, from 1 s on: 1 4 8 3+1 2+1. */
    assert_int_equal(t->peak_bytes, 12 * FIXTURE_MIB);
    assert_int_equal(t->peak_ns, 2 * FIXTURE_SECOND);
    assert_int_equal(t->memory_peak_bytes, (3 + 8 + 20) * FIXTURE_MIB);
    assert_int_equal(t->memory_peak_ns, 3 * FIXTURE_SECOND);
    assert_int_equal(t->mapped_then_bytes, 20 * FIXTURE_MIB);
    assert_int_equal(t->mapped_peak_bytes, 21 * FIXTURE_MIB);
    assert_int_equal(t->mapped_peak_ns, 4 * FIXTURE_SECOND);
    image_free(sum);
}

/* The mapped line may have lost the step of the peak; memory's own says what was mapped then. */
static void test_mapped_at_the_peak_of_one(void **state)
{
    (void)state;
    static struct view_fixture a;
    struct bucket mapped[2], memory[5];
    make(&a, "only_a", 4000);
    map_memory(&a, mapped, memory, 20);
    mapped[1] = bucket_of(3 * FIXTURE_SECOND, 7 * FIXTURE_MIB);
    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, FIXTURE_SECOND, 0);
    struct image *sum = merged_finish(m);
    const struct totals *t = &sum->processes[0].totals;
    assert_int_equal(t->memory_peak_bytes, 23 * FIXTURE_MIB);
    assert_int_equal(t->memory_peak_ns, 4 * FIXTURE_SECOND);
    assert_int_equal(t->mapped_then_bytes, 20 * FIXTURE_MIB);
    image_free(sum);
}

/* An older capture's mapped series has reservations and files in it: with one of these in the
 * family memory is the heap, as of each of its processes. */
static void test_memory_of_an_older_capture(void **state)
{
    (void)state;
    static struct view_fixture a, b;
    struct bucket mapped[2][2], memory[5];
    make(&a, "only_a", 4000);
    make(&b, "only_b", 4000);
    map_memory(&a, mapped[0], memory, 20);
    map_memory(&b, mapped[1], memory, 20);
    b.process.series_unknown = 1;
    b.process.totals.mapped_then_bytes = 0;
    process_memory_is_heap(&b.process);
    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, 0, 0);
    merged_add(m, &b.image, &b.process, 0, 0);
    struct image *sum = merged_finish(m);
    const struct process *p = &sum->processes[0];
    assert_true(p->series_unknown && !process_has_parts(p));
    assert_int_equal(p->totals.peak_bytes, 16 * FIXTURE_MIB);
    assert_int_equal(p->totals.memory_peak_bytes, 16 * FIXTURE_MIB);
    assert_int_equal(p->totals.memory_peak_ns, 2 * FIXTURE_SECOND);
    assert_int_equal(p->totals.mapped_then_bytes, 0);
    assert_int_equal(p->totals.mapped_peak_bytes, 40 * FIXTURE_MIB);
    assert_ptr_equal(p->memory, p->heap);
    assert_int_equal(usage_of(sum, "only_b")->memory.inclusive.allocations, 10);
    image_free(sum);
}

/* A process that became another image is one: its resident set does not go to nothing in between.
 */
static void test_samples_go_on_over_an_exec(void **state)
{
    (void)state;
    static struct view_fixture a, b;
    make(&a, "only_a", 4000);
    make(&b, "only_b", 4000);
    a.process.start_time = b.process.start_time = 77;
    b.samples[0].ns = FIXTURE_SECOND / 2; /* the others come at 1 s and 2 s */
    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, 0, 0); /* ends at 5 s */
    merged_add(m, &b.image, &b.process, 6 * FIXTURE_SECOND, 0);
    struct image *sum = merged_finish(m);
    const struct process *p = &sum->processes[0];
    assert_int_equal(p->totals.rss_peak_bytes, 10 * FIXTURE_MIB);
    for (size_t i = 0; i + 1 < p->sample_count; i++)
        assert_int_equal(p->samples[i].rss_bytes, 10 * FIXTURE_MIB);
    assert_int_equal(p->samples[p->sample_count - 1].rss_bytes, 0); /* when the last one ends */
    assert_int_equal(p->samples[p->sample_count - 1].ns, 11 * FIXTURE_SECOND);
    image_free(sum);
}

/* Two functions of one name and file, at different lines, stay two, as they were in each image:
 * they may be on one stack, and added up they would count its blocks twice. */
static void test_functions_of_one_name(void **state)
{
    (void)state;
    static struct view_fixture a, b;
    make(&a, "common", 4000);
    make(&b, "common", 8000);
    struct merged *m = merged_new();
    merged_add(m, &a.image, &a.process, 0, 0);
    merged_add(m, &b.image, &b.process, 0, 0);
    struct image *sum = merged_finish(m);
    assert_int_equal(sum->function_count, 3);
    const struct function_usage *one = usage_of(sum, "common");
    assert_int_equal(sum->functions[one->function].line, 11);
    assert_int_equal(one->heap.inclusive.allocations, 20);
    image_free(sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_images),
        cmocka_unit_test(test_threads_of_an_exec),
        cmocka_unit_test(test_call_sites),
        cmocka_unit_test(test_lines_add_up),
        cmocka_unit_test(test_memory_adds_up),
        cmocka_unit_test(test_mapped_at_the_peak_of_one),
        cmocka_unit_test(test_memory_of_an_older_capture),
        cmocka_unit_test(test_samples_go_on_over_an_exec),
        cmocka_unit_test(test_functions_of_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
