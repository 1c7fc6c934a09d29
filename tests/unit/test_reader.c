/* test_reader.c - a capture written and read again, whole and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture_ends.h"
#include "capture_read.h"

static void expect_bytes(const void *a, const void *b, size_t count, size_t entry_bytes)
{
    if (count > 0)
        assert_memory_equal(a, b, count * entry_bytes);
}

static void expect_tables(const struct image *a, const struct image *b)
{
    assert_int_equal(a->function_count, b->function_count);
    for (size_t i = 0; i < a->function_count; i++) {
        assert_string_equal(a->functions[i].name, b->functions[i].name);
        assert_string_equal(a->functions[i].module, b->functions[i].module);
        assert_string_equal(a->functions[i].file, b->functions[i].file);
        assert_int_equal(a->functions[i].line, b->functions[i].line);
        assert_int_equal(a->functions[i].flags, b->functions[i].flags);
    }
    assert_int_equal(a->frame_count, b->frame_count);
    for (size_t i = 0; i < a->frame_count; i++) {
        assert_int_equal(a->frames[i].function, b->frames[i].function);
        assert_int_equal(a->frames[i].line, b->frames[i].line);
        assert_string_equal(a->frames[i].file, b->frames[i].file);
    }
    assert_int_equal(a->object_count, b->object_count);
    for (size_t i = 0; i < a->object_count; i++) {
        assert_string_equal(a->objects[i].path, b->objects[i].path);
        assert_string_equal(a->objects[i].build_id, b->objects[i].build_id);
    }
    assert_int_equal(a->location_count, b->location_count);
    expect_bytes(a->locations, b->locations, a->location_count, sizeof *a->locations);
    assert_int_equal(a->stack_count, b->stack_count);
    expect_bytes(a->stacks, b->stacks, a->stack_count, sizeof *a->stacks);
}

static void expect_head(const struct image *a, const struct image *b)
{
    assert_memory_equal(a->id, b->id, sizeof a->id);
    assert_memory_equal(a->boot_id, b->boot_id, sizeof a->boot_id);
    assert_true(a->tree == b->tree && a->epoch_ns == b->epoch_ns);
    assert_int_equal(a->argc, b->argc);
    for (size_t i = 0; i < a->argc; i++)
        assert_string_equal(a->argv[i], b->argv[i]);
    assert_string_equal(a->executable, b->executable);
    assert_string_equal(a->folder, b->folder);
    assert_string_equal(a->host, b->host);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->parent_pid, b->parent_pid);
    assert_true(a->start_time == b->start_time);
    assert_true(a->parent_start_time == b->parent_start_time);
    assert_int_equal(a->start_kind, b->start_kind);
}

static void expect_gaps(const struct image *a, const struct image *b)
{
    assert_int_equal(a->gap_count, b->gap_count);
    for (size_t i = 0; i < a->gap_count; i++) {
        assert_string_equal(a->gaps[i].module, b->gaps[i].module);
        assert_string_equal(a->gaps[i].reason, b->gaps[i].reason);
        assert_int_equal(a->gaps[i].names, b->gaps[i].names);
    }
}

static void expect_leaks(const struct leak *a, const struct leak *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(a[i].stack == b[i].stack && a[i].blocks == b[i].blocks &&
                    a[i].bytes == b[i].bytes && a[i].first_ns == b[i].first_ns &&
                    a[i].last_ns == b[i].last_ns);
}

static void expect_process(const struct process *a, const struct process *b)
{
    assert_int_equal(a->serial, b->serial);
    assert_int_equal(a->parent, b->parent);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->parent_pid, b->parent_pid);
    assert_true(a->start_time == b->start_time);
    assert_true(a->begin_ns == b->begin_ns && a->end_ns == b->end_ns);
    assert_int_equal(a->thread_count, b->thread_count);
    assert_int_equal(a->ending.kind, b->ending.kind);
    assert_int_equal(a->ending.value, b->ending.value);
    assert_string_equal(a->ending.exec, b->ending.exec);
    assert_memory_equal(&a->totals, &b->totals, sizeof a->totals);
    assert_memory_equal(&a->quality, &b->quality, sizeof a->quality);
    assert_int_equal(a->function_count, b->function_count);
    for (size_t i = 0; i < a->function_count; i++) {
        const struct function_usage *x = &a->functions[i], *y = &b->functions[i];
        assert_int_equal(x->function, y->function);
        assert_memory_equal(&x->heap, &y->heap, sizeof x->heap);
        assert_memory_equal(&x->mapped, &y->mapped, sizeof x->mapped);
        assert_memory_equal(&x->memory, &y->memory, sizeof x->memory);
        assert_true(x->activations == y->activations);
        assert_memory_equal(&x->mapped_then, &y->mapped_then, sizeof x->mapped_then);
    }
    assert_int_equal(a->leak_count, b->leak_count);
    expect_leaks(a->leaks, b->leaks, a->leak_count);
    assert_int_equal(a->mapped_leak_count, b->mapped_leak_count);
    expect_leaks(a->mapped_leaks, b->mapped_leaks, a->mapped_leak_count);
    assert_int_equal(a->memory_count, b->memory_count);
    expect_bytes(a->memory, b->memory, a->memory_count, sizeof *a->memory);
    assert_int_equal(a->failure_count, b->failure_count);
    for (size_t i = 0; i < a->failure_count; i++) {
        const struct failure *x = &a->failures[i], *y = &b->failures[i];
        assert_true(x->stack == y->stack && x->count == y->count && x->bytes == y->bytes &&
                    x->largest_bytes == y->largest_bytes && x->first_ns == y->first_ns &&
                    x->last_ns == y->last_ns);
    }
    assert_int_equal(a->heap_count, b->heap_count);
    expect_bytes(a->heap, b->heap, a->heap_count, sizeof *a->heap);
    assert_int_equal(a->mapped_count, b->mapped_count);
    expect_bytes(a->mapped, b->mapped, a->mapped_count, sizeof *a->mapped);
    assert_int_equal(a->sample_count, b->sample_count);
    expect_bytes(a->samples, b->samples, a->sample_count, sizeof *a->samples);
    assert_int_equal(a->thread_usage_count, b->thread_usage_count);
    for (size_t i = 0; i < a->thread_usage_count; i++) {
        const struct thread_usage *x = &a->threads[i], *y = &b->threads[i];
        assert_true(x->serial == y->serial && x->threads == y->threads && x->tid == y->tid &&
                    x->begin_ns == y->begin_ns && x->end_ns == y->end_ns);
        assert_string_equal(x->name, y->name);
        assert_memory_equal(&x->heap, &y->heap, sizeof x->heap);
        assert_memory_equal(&x->mapped, &y->mapped, sizeof x->mapped);
        assert_memory_equal(&x->memory, &y->memory, sizeof x->memory);
        assert_true(x->mapped_then_bytes == y->mapped_then_bytes);
    }
    assert_int_equal(a->difference_count, b->difference_count);
    for (size_t i = 0; i < a->difference_count; i++) {
        assert_true(a->differences[i].ns == b->differences[i].ns);
        assert_string_equal(a->differences[i].ours, b->differences[i].ours);
        assert_string_equal(a->differences[i].theirs, b->differences[i].theirs);
    }
}

static size_t events_of(const struct fixture *f, uint32_t process)
{
    size_t count = 0;
    for (size_t i = 0; i < f->event_count; i++)
        count += f->events[i].process == process;
    return count;
}

static void whole_file(uint64_t segment_events)
{
    struct fixture f = fixture_new(7, 60, 20000, 3);
    struct reader *r;
    int fd = fixture_file(&f, segment_events);
    assert_true(fd >= 0);
    assert_int_equal(reader_open(&r, fd), RECORDING_OK);
    const struct image *image = reader_image(r);
    assert_false(image->cut);
    assert_false(image->running);
    expect_head(f.image, image);
    expect_tables(f.image, image);
    assert_true(image->beside == f.image->beside);
    expect_gaps(f.image, image);
    assert_int_equal(image->process_count, 3);
    for (size_t i = 0; i < 3; i++)
        expect_process(&f.image->processes[i], &image->processes[i]);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(reader_seek(r, i, 0), RECORDING_OK);
        assert_int_equal(expect_events(r, &f, i, 0), events_of(&f, i));
    }
    size_t count;
    const struct event_class *classes = reader_classes(r, &count);
    assert_true(count > 0 && count <= f.class_count);
    for (size_t i = 0; i < count; i++)
        assert_true(classes[i].stack == f.classes[i].stack && classes[i].size == f.classes[i].size);
    reader_close(r);
    fixture_free(&f);
}

static void test_whole(void **state)
{
    (void)state;
    whole_file(1u << 22);
    whole_file(1000);
    whole_file(1);
}

/* From a moment on: all events since then come, and the level before them is right. */
static void test_seek(void **state)
{
    (void)state;
    struct fixture f = fixture_new(8, 30, 20000, 2);
    struct reader *r;
    assert_int_equal(reader_open(&r, fixture_file(&f, 500)), RECORDING_OK);
    uint64_t end = f.events[f.event_count - 1].event.ns;
    for (uint64_t part = 0; part <= 10; part++) {
        uint64_t begin = end * part / 10, heap = 0;
        struct event e;
        assert_int_equal(reader_seek(r, 1, begin), RECORDING_OK);
        assert_int_equal(reader_next(r, &e), 1);
        assert_true(part == 0 || e.ns <= begin);
        assert_true(begin - e.ns < end / 10 || part == 0);
        /* Find that event by counting from the end, and add up all before it. */
        size_t left = 1;
        while (reader_next(r, &e) == 1)
            left++;
        size_t before = events_of(&f, 1) - left;
        for (size_t i = 0, n = 0; n < before; i++) {
            if (f.events[i].process != 1)
                continue;
            const struct event *told = &f.events[i].event;
            if (told->kind == EVENT_ALLOC)
                heap += told->bytes;
            else if (told->kind <= EVENT_FREE_IMPLIED)
                heap -= told->bytes;
            n++;
        }
        assert_int_equal(reader_seek(r, 1, begin), RECORDING_OK);
        assert_int_equal(reader_next(r, &e), 1);
        uint64_t step = e.kind == EVENT_ALLOC          ? e.bytes
                        : e.kind <= EVENT_FREE_IMPLIED ? 0 - e.bytes
                                                       : 0;
        assert_true(reader_level(r).heap == heap + step);
        assert_int_equal(reader_seek(r, 1, begin), RECORDING_OK);
        assert_int_equal(expect_events(r, &f, 1, before), left);
    }
    assert_int_equal(reader_seek(r, 77, 0), RECORDING_OK);
    struct event e;
    assert_int_equal(reader_next(r, &e), 0);
    reader_close(r);
    fixture_free(&f);
}

/* What a rebuilt summary must say after the first `count` events of process 0. */
static void expect_rebuilt(const struct fixture *f, size_t count, const struct process *p)
{
    struct totals t = {0};
    uint64_t heap = 0, blocks = 0, implied = 0;
    for (size_t i = 0; count > 0; i++) {
        const struct event *e = &f->events[i].event;
        if (f->events[i].process != 0)
            continue;
        count--;
        if (e->kind == EVENT_ALLOC) {
            t.allocations++;
            t.allocated_bytes += e->bytes;
            heap += e->bytes;
            blocks++;
        } else {
            t.frees += e->kind != EVENT_FREE_IMPLIED;
            implied += e->kind == EVENT_FREE_IMPLIED;
            t.temporary += e->kind == EVENT_FREE_TEMPORARY;
        }
        if (e->kind != EVENT_ALLOC && e->kind <= EVENT_FREE_IMPLIED) {
            heap -= e->bytes;
            blocks--;
        }
        if (heap > t.peak_bytes)
            t.peak_bytes = heap;
    }
    const struct loss *lost = &p->quality.loss; /* its block may be there still */
    assert_true(p->totals.allocations == t.allocations + lost->allocations);
    assert_true(p->totals.frees == t.frees + lost->frees);
    assert_true(p->totals.allocated_bytes == t.allocated_bytes + lost->bytes);
    assert_true(p->totals.peak_bytes == t.peak_bytes);
    assert_true(p->totals.temporary == t.temporary);
    assert_true(p->totals.live_at_end_bytes == heap && p->totals.live_at_end_blocks == blocks);
    assert_true(p->quality.implied_frees == implied);
    uint64_t self = 0, leaked = 0, at_peak = 0;
    for (size_t i = 0; i < p->function_count; i++) {
        self += p->functions[i].heap.self.allocations;
        at_peak += p->functions[i].heap.self.at_peak_bytes;
    }
    for (size_t i = 0; i < p->leak_count; i++) {
        leaked += p->leaks[i].bytes;
        assert_true(i == 0 || p->leaks[i - 1].bytes >= p->leaks[i].bytes);
    }
    assert_true(self == t.allocations && leaked == heap && at_peak == t.peak_bytes);
}

/* Opens the first `size` bytes. Whatever is there of events is right, and if the summary is gone
 * it is made again. Returns the number of events that could be read. */
static size_t expect_cut(const struct fixture *f, int fd, off_t size)
{
    struct reader *r;
    int rc = reader_open(&r, copy_of(fd, size));
    if (size < (off_t)sizeof(struct capture_header)) {
        assert_int_equal(rc, size == 0 ? RECORDING_EMPTY : RECORDING_DAMAGED);
        return 0;
    }
    assert_int_equal(rc, RECORDING_OK);
    const struct image *image = reader_image(r);
    assert_true(image->cut);
    assert_true(image->process_count >= 1 && image->processes[0].serial == 0);
    size_t count = count_events(r, 0);
    assert_int_equal(reader_seek(r, 0, 0), RECORDING_OK);
    assert_int_equal(expect_events(r, f, 0, 0), count);
    const struct process *p = &image->processes[0];
    if (p->totals.allocations == f->image->processes[0].totals.allocations)
        expect_process(&f->image->processes[0], p);
    else {
        expect_rebuilt(f, count, p);
        assert_int_equal(p->left, count ? FIGURES_OF_EVENTS : FIGURES_NONE);
    }
    reader_close(r);
    return count;
}

static void test_cut_at_every_byte(void **state)
{
    (void)state;
    struct fixture f = fixture_new(9, 6, 300, 2);
    int fd = fixture_file(&f, 40);
    size_t most = 0, before = 0;
    for (off_t size = 0; size < file_bytes(fd); size++) {
        size_t count = expect_cut(&f, fd, size);
        assert_true(count >= before);
        before = count;
        most = count > most ? count : most;
    }
    assert_int_equal(most, events_of(&f, 0));
    close(fd);
    fixture_free(&f);
}

static void test_bigger_file_cut(void **state)
{
    (void)state;
    struct fixture f = fixture_new(10, 200, 30000, 3);
    int fd = fixture_file(&f, 2000);
    off_t size = file_bytes(fd);
    size_t half = expect_cut(&f, fd, size / 2);
    assert_true(half > 2000);
    for (int i = 0; i < 40; i++)
        expect_cut(&f, fd, (off_t)fixture_random((uint64_t)size));
    close(fd);
    fixture_free(&f);
}

static void test_identify(void **state)
{
    (void)state;
    struct fixture f = fixture_new(14, 6, 300, 3);
    struct recording_identity identity;
    struct forks forks = {0};
    int fd = fixture_file(&f, 50);
    assert_int_equal(capture_identify(fd, &identity, &forks), RECORDING_OK);
    assert_memory_equal(identity.id, f.image->id, sizeof identity.id);
    assert_int_equal(identity.pid, 1000);
    assert_int_equal(identity.parent_pid, 999);
    assert_true(identity.start_time == 5000 && identity.parent_start_time == 4000);
    assert_true(identity.tree == f.image->tree && identity.epoch_ns == f.image->epoch_ns);
    assert_int_equal(identity.is_spool, 0);
    assert_int_equal(forks.count, 2);
    assert_int_equal(forks.list[1].pid, 1002);
    assert_true(forks.list[1].start_time == 5002);
    forks.count = 0;
    /* The head is enough for all but the children. */
    int head = copy_of(fd, sizeof(struct capture_header));
    assert_int_equal(capture_identify(head, &identity, &forks), RECORDING_OK);
    assert_int_equal(identity.pid, 1000);
    assert_int_equal(forks.count, 0);
    free(forks.list);
    close(head);
    close(fd);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_seek),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_bigger_file_cut),
        cmocka_unit_test(test_identify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
