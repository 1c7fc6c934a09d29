/* test_cut.c - what a capture without its end says of mapped memory: what it knows, and no more. */
#include "collect_fixture.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "capture_format.h"
#include "reader.h"
#include "recording.h"
#include "timeline.h"

enum { MAIN = 1, WORK = 2, OTHER = 3 };

#define PAGE      4096ull
#define PLACE     0x100000ull
#define BOTH      (PROT_READ | PROT_WRITE)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define MS        1000000ull /* a capture knows the times of events by ticks of that */

static struct spool_builder b;
static struct builder_stream *s;

static int begin(void **state)
{
    (void)state;
    builder_init(&b);
    s = builder_stream(&b, 0, 0);
    return 0;
}

/* A RANGE_MAP of pages [from, to) by MAIN and `function`. */
static void range(struct builder_stream *stream, uint64_t ms, uint64_t from, uint64_t to,
                  uint64_t what, uint32_t function)
{
    struct spool_event e = {.kind = SPOOL_RANGE_MAP,
                            .has_stack = 1,
                            .address = PLACE + from * PAGE,
                            .size = (to - from) * PAGE,
                            .extra = what,
                            .base = stream->depth,
                            .push = 2};
    builder_event(stream, ms * MS, e, (uint32_t[]){MAIN, function});
}

static void map(struct builder_stream *stream, uint64_t ms, uint64_t from, uint64_t to,
                uint32_t function)
{
    range(stream, ms, from, to, spool_range_of(SPOOL_RANGE_MMAP, BOTH, ANONYMOUS), function);
}

static void drop(struct builder_stream *stream, uint64_t ms, uint64_t from, uint64_t to)
{
    builder_plain(stream, ms * MS, SPOOL_RANGE_BEGIN, PLACE + from * PAGE, (to - from) * PAGE);
    builder_plain(stream, ms * MS, SPOOL_RANGE_DROPPED, 0, 0);
}

/* ---- files that lack something ---- */

struct file {
    uint8_t bytes[1 << 18];
    size_t size;
};

static struct collector *collect_into(struct file *file)
{
    struct collector *c;
    struct stat status;
    int spool = builder_file(&b), capture = memfd_create("capture", 0);
    assert_int_equal(collector_open(&c, spool, capture, NULL), COLLECT_OK);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    assert_int_equal(fstat(capture, &status), 0);
    assert_true(status.st_size <= (off_t)sizeof file->bytes);
    file->size = (size_t)status.st_size;
    assert_int_equal(pread(capture, file->bytes, file->size, 0), status.st_size);
    close(capture);
    close(spool);
    builder_free(&b);
    return c;
}

static struct reader *read_bytes(const void *bytes, size_t size)
{
    struct reader *r;
    int fd = memfd_create("capture", 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(reader_open(&r, fd), RECORDING_OK);
    return r;
}

static struct capture_block block_at(const struct file *file, size_t at)
{
    struct capture_block head = {0};
    if (at + sizeof head <= file->size)
        memcpy(&head, file->bytes + at, sizeof head);
    return head;
}

#define TYPE(type) (1u << (type))

/* Reads the file without the blocks of these types, nor its end. */
static struct reader *read_without(const struct file *file, uint32_t types)
{
    static struct file kept;
    struct capture_block head;
    types |= TYPE(BLOCK_INDEX);
    kept.size = sizeof(struct capture_header);
    memcpy(kept.bytes, file->bytes, kept.size);
    for (size_t at = kept.size; (head = block_at(file, at)).mark == CAPTURE_BLOCK_MARK;) {
        size_t bytes = sizeof head + head.stored_bytes;
        if (!(types & TYPE(head.type))) {
            memcpy(kept.bytes + kept.size, file->bytes + at, bytes);
            kept.size += bytes;
        }
        at += bytes;
    }
    struct reader *r = read_bytes(kept.bytes, kept.size);
    assert_true(reader_image(r)->cut);
    return r;
}

#define SUMMARIES (TYPE(BLOCK_SUMMARY) | TYPE(BLOCK_MAPPED) | TYPE(BLOCK_THREADS))

/* As if an older collector had written it. */
static void make_version_1(struct file *file)
{
    struct capture_header h;
    memcpy(&h, file->bytes, sizeof h);
    h.version = 1;
    h.checksum =
        capture_checksum(CAPTURE_CHECKSUM_START, &h, offsetof(struct capture_header, checksum));
    memcpy(file->bytes, &h, sizeof h);
}

/* ---- what is said ---- */

/* Memory is the heap; of mapped memory there are totals, which may be of all mappings. */
static void expect_unknown(const struct process *p)
{
    assert_true(p->series_unknown && !process_has_parts(p));
    assert_int_equal(p->totals.memory_peak_bytes, p->totals.peak_bytes);
    assert_int_equal(p->totals.memory_peak_ns, p->totals.peak_ns);
    assert_int_equal(p->totals.mapped_then_bytes, 0);
    assert_int_equal(p->mapped_leak_count, 0);
    assert_int_equal(p->memory_count, p->heap_count);
    for (size_t i = 0; i < p->function_count; i++) {
        assert_true(p->functions[i].heap.inclusive.allocations > 0);
        assert_int_equal(p->functions[i].mapped.inclusive.allocations, 0);
        assert_int_equal(p->functions[i].memory.inclusive.own_peak_bytes,
                         p->functions[i].heap.inclusive.own_peak_bytes);
    }
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        assert_int_equal(p->threads[i].mapped.allocations, 0);
        assert_int_equal(p->threads[i].memory.own_peak_bytes, p->threads[i].heap.own_peak_bytes);
    }
}

static void expect_line(struct line_of a, struct line_of b)
{
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.buckets, b.buckets, a.count * sizeof *a.buckets);
}

static void expect_usage(const struct usage *a, const struct usage *b)
{
    assert_int_equal(a->allocations, b->allocations);
    assert_int_equal(a->allocated_bytes, b->allocated_bytes);
    assert_int_equal(a->own_peak_bytes, b->own_peak_bytes);
    assert_int_equal(a->own_peak_ns, b->own_peak_ns);
    assert_int_equal(a->at_peak_bytes, b->at_peak_bytes);
    assert_int_equal(a->live_at_end_bytes, b->live_at_end_bytes);
}

/* What is made of a process's events is what its summary says of mapped memory, but for pieces. */
static void expect_rebuilt(const struct process *p, const struct process *rebuilt)
{
    assert_false(rebuilt->series_unknown);
    for (enum series series = 0; series < SERIES_COUNT; series++) {
        expect_line(process_line(p, series), process_line(rebuilt, series));
        assert_int_equal(process_peak(p, series).bytes, process_peak(rebuilt, series).bytes);
        assert_int_equal(process_peak(p, series).ns, process_peak(rebuilt, series).ns);
    }
    assert_int_equal(p->totals.mapped_at_end_bytes, rebuilt->totals.mapped_at_end_bytes);
    assert_int_equal(p->totals.mapped_then_bytes, rebuilt->totals.mapped_then_bytes);
    assert_int_equal(p->function_count, rebuilt->function_count);
    for (size_t i = 0; i < p->function_count; i++) {
        const struct function_usage *a = &p->functions[i], *b = &rebuilt->functions[i];
        assert_int_equal(a->function, b->function);
        expect_usage(&a->mapped.self, &b->mapped.self);
        expect_usage(&a->mapped.inclusive, &b->mapped.inclusive);
        expect_usage(&a->memory.inclusive, &b->memory.inclusive);
    }
    assert_int_equal(p->thread_usage_count, rebuilt->thread_usage_count);
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        expect_usage(&p->threads[i].mapped, &rebuilt->threads[i].mapped);
        expect_usage(&p->threads[i].memory, &rebuilt->threads[i].memory);
    }
}

/* Collects the spool, and has its summary made again from its events. */
static void expect_rebuilt_anew(void)
{
    static struct file file;
    struct collector *c = collect_into(&file);
    struct reader *r = read_without(&file, SUMMARIES);
    check_sums(collector_image(c));
    check_sums(reader_image(r));
    expect_rebuilt(process_of(c, 0), &reader_image(r)->processes[0]);
    reader_close(r);
    collector_free(c);
}

/* A heap of 7 KiB, and 40 pages mapped by two threads, half of which stays. */
static void heap_and_mappings(void)
{
    struct builder_stream *t = builder_stream(&b, 0, 1);
    builder_alloc(s, 10 * MS, 0x1000, 7 << 10, FRAMES(MAIN, WORK));
    map(s, 20, 0, 10, WORK);
    map(t, 30, 50, 80, OTHER);
    builder_alloc(t, 35 * MS, 0x9000, 100, FRAMES(MAIN, OTHER));
    drop(t, 40, 0, 10);
    drop(s, 50, 50, 60);
}

/* An older collector's events tell of all mappings, whatever they are. */
static void test_version_1(void **state)
{
    (void)state;
    static struct file file;
    heap_and_mappings();
    collector_free(collect_into(&file));
    make_version_1(&file);
    struct reader *r = read_without(&file, SUMMARIES);
    const struct process *p = &reader_image(r)->processes[0];
    expect_unknown(p);
    assert_int_equal(p->totals.mapped_peak_bytes, 40 * PAGE);
    assert_int_equal(p->totals.peak_bytes, (7 << 10) + 100);
    assert_int_equal(p->function_count, 3);
    check_sums(reader_image(r));
    reader_close(r);
}

/* An older recorder did not say what it was that was mapped. The capture keeps that, whole or cut.
 */
static void test_older_recorder(void **state)
{
    (void)state;
    static struct file file;
    b.header.version = 2;
    builder_alloc(s, 10 * MS, 0x1000, 7 << 10, FRAMES(MAIN, WORK));
    range(s, 20, 0, 1000, 0, WORK); /* as good as any a reservation */
    range(s, 30, 2000, 2010, 0, OTHER);
    drop(s, 40, 0, 1000);
    struct collector *c = collect_into(&file);
    expect_unknown(process_of(c, 0));
    check_sums(collector_image(c));
    collector_free(c);
    for (int cut = 0; cut < 2; cut++) {
        struct reader *r = cut ? read_without(&file, SUMMARIES) : read_bytes(file.bytes, file.size);
        const struct process *p = &reader_image(r)->processes[0];
        assert_int_equal(reader_is_whole(r), !cut);
        expect_unknown(p);
        assert_int_equal(p->totals.mapped_peak_bytes, 1010 * PAGE);
        assert_int_equal(p->totals.peak_bytes, 7 << 10);
        check_sums(reader_image(r));
        reader_close(r);
    }
}

/* More changes than the summary's line has, so that a window is made of events: what is not known
 * to be memory is in none. */
static void test_window_of_older_recorder(void **state)
{
    (void)state;
    static struct file file;
    char name[] = "/tmp/test_cut_XXXXXX";
    int fd = mkstemp(name);
    struct recording *r;
    struct timeline line = {0};
    b.header.version = 2;
    b.chunk_bytes = 1 << 20;
    builder_next_chunk(s, 0);
    range(s, 1, 0, 1000, 0, WORK);
    for (uint64_t i = 0; i < 2 * TIMELINE_BUCKETS; i++)
        builder_alloc(s, (10 + i) * MS, 0x1000 + 64 * i, 1 + i % 7, FRAMES(MAIN, WORK));
    range(s, 20000, 2000, 3000, 0, WORK);
    collector_free(collect_into(&file));
    assert_int_equal(write(fd, file.bytes, file.size), (ssize_t)file.size);
    assert_int_equal(recording_open(&r, name), RECORDING_OK);
    assert_int_equal(recording_timeline(r, 0, SERIES_MEMORY, 100 * MS, 200 * MS, &line),
                     RECORDING_OK);
    assert_int_equal(line.count, 100);
    assert_in_range(line.buckets[99].max_bytes, 1, 7 * 200);
    timeline_clear(&line);
    recording_close(r);
    unlink(name);
    close(fd);
}

/* Where the file ends between SUMMARY and MAPPED, the heap is known whole and mapped memory is not.
 * The events would tell less of both: the last of them come behind the summaries. */
static void test_between_summary_and_mapped(void **state)
{
    (void)state;
    static struct file file;
    heap_and_mappings();
    collector_free(collect_into(&file));
    struct reader *r = read_without(&file, TYPE(BLOCK_MAPPED));
    const struct process *p = &reader_image(r)->processes[0];
    expect_unknown(p);
    assert_int_equal(p->totals.mapped_peak_bytes, 40 * PAGE);
    assert_int_equal(p->totals.maps, 2);
    assert_int_equal(p->totals.allocations, 2);
    assert_int_equal(p->thread_usage_count, 2);
    check_sums(reader_image(r));
    reader_close(r);
}

/* Wherever a file ends, what is shown of it agrees with itself. */
static void test_every_length(void **state)
{
    (void)state;
    static struct file file;
    heap_and_mappings();
    collector_free(collect_into(&file));
    int unknown = 0;
    for (size_t size = sizeof(struct capture_header); size <= file.size; size++) {
        struct reader *r = read_bytes(file.bytes, size);
        const struct process *p = &reader_image(r)->processes[0];
        check_sums(reader_image(r));
        if (p->series_unknown)
            expect_unknown(p);
        unknown += p->series_unknown;
        reader_close(r);
    }
    assert_in_range(unknown, 1, file.size / 2);
}

/* A process may have been seen and have done nothing that is recorded. */
static void test_samples_without_events(void **state)
{
    (void)state;
    static struct file file;
    struct spool_event sample = {
        .kind = SPOOL_SAMPLE, .address = BUILDER_START + 20 * MS, .size = 7000};
    builder_alloc(s, 10 * MS, 0x1000, 10, FRAMES(MAIN));
    uint32_t child = builder_fork(&b, 0, 15 * MS, 0);
    builder_plain(s, 15 * MS, SPOOL_FORK, child, 0);
    builder_event(builder_stream(&b, child, 0), 20 * MS, sample, NULL);
    collector_free(collect_into(&file));
    struct reader *r = read_without(&file, SUMMARIES);
    const struct process *p = &reader_image(r)->processes[child];
    assert_int_equal(p->sample_count, 1);
    assert_int_equal(p->samples[0].ns, 20 * MS);
    assert_int_equal(p->totals.rss_peak_bytes, 7000);
    reader_close(r);
}

/* What one thread has mapped and another unmaps stays the first one's. */
static void test_unmapped_by_another(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1), *u = builder_stream(&b, 0, 2);
    map(s, 10, 0, 10, WORK);
    map(t, 11, 20, 30, OTHER);
    drop(t, 12, 0, 4); /* of s's */
    map(u, 13, 40, 60, WORK);
    drop(s, 14, 22, 30); /* of t's */
    drop(s, 15, 40, 50); /* of u's */
    builder_alloc(t, 16 * MS, 0x1000, 100, FRAMES(MAIN, OTHER));
    drop(t, 17, 4, 8);
    map(t, 18, 0, 3, WORK);
    expect_rebuilt_anew();
}

/* Events tell of memory, not of calls: of those that map files or reservations there is none, and
 * an mprotect that makes memory has one. */
static void test_calls(void **state)
{
    (void)state;
    static struct file file;
    builder_alloc(s, 10 * MS, 0x1000, 100, FRAMES(MAIN, WORK));
    range(s, 20, 0, 30, spool_range_of(SPOOL_RANGE_MMAP, PROT_NONE, ANONYMOUS), WORK);
    range(s, 30, 0, 10, spool_range_of(SPOOL_RANGE_PROTECT, BOTH, 0), WORK);
    range(s, 40, 50, 60, spool_range_of(SPOOL_RANGE_MMAP, PROT_READ, MAP_PRIVATE), WORK);
    b.processes[0].lost_other = 9;
    b.processes[0].lost_maps = 7;
    drop(s, 50, 0, 60);
    struct collector *c = collect_into(&file);
    assert_int_equal(process_of(c, 0)->totals.maps, 2 + 7);
    assert_int_equal(process_of(c, 0)->totals.unmaps, 1);
    collector_free(c);
    struct reader *r = read_without(&file, SUMMARIES);
    const struct process *p = &reader_image(r)->processes[0];
    assert_int_equal(p->totals.maps, 0);
    assert_int_equal(p->totals.unmaps, 0);
    assert_int_equal(p->totals.mapped_peak_bytes, 10 * PAGE);
    assert_int_equal(p->quality.loss.maps, 7);
    assert_true(process_has_mappings(p) && process_was_born(p));
    reader_close(r);
}

/* By the same call three threads map as much. Whose goes is not told, but no thread's comes to less
 * than nothing, and they sum up to what there is. */
static void test_unmapped_by_some(void **state)
{
    (void)state;
    static struct file file;
    struct builder_stream *t = builder_stream(&b, 0, 1), *u = builder_stream(&b, 0, 2);
    map(s, 10, 0, 10, WORK);
    map(t, 11, 20, 30, WORK);
    map(u, 12, 40, 50, WORK);
    drop(u, 13, 0, 25);
    collector_free(collect_into(&file));
    struct reader *r = read_without(&file, SUMMARIES);
    const struct process *p = &reader_image(r)->processes[0];
    uint64_t left = 0;
    for (size_t i = 0; i < p->thread_usage_count; i++) {
        assert_in_range(p->threads[i].mapped.live_at_end_bytes, 0, 10 * PAGE);
        left += p->threads[i].mapped.live_at_end_bytes;
    }
    assert_int_equal(left, 15 * PAGE);
    check_sums(reader_image(r));
    reader_close(r);
}

/* Another thread maps while a call is open: at each moment the events say what the summary says. */
static void test_mapped_meanwhile(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    map(s, 10, 0, 8, WORK);
    map(s, 11, 20, 28, WORK);
    map(s, 12, 40, 48, WORK);
    builder_plain(s, 20 * MS, SPOOL_RANGE_BEGIN, PLACE, 8 * PAGE);
    map(t, 21, 2, 4, OTHER);
    builder_plain(s, 22 * MS, SPOOL_RANGE_FAILED, 0, 0);
    builder_plain(s, 30 * MS, SPOOL_RANGE_BEGIN, PLACE + 20 * PAGE, 8 * PAGE);
    map(t, 31, 27, 30, OTHER);
    builder_thread(s, 32 * MS, 2);
    map(t, 33, 100, 101, OTHER);
    builder_plain(s, 40 * MS, SPOOL_RANGE_BEGIN, PLACE + 40 * PAGE, 8 * PAGE);
    map(t, 41, 40, 44, OTHER);
    map(s, 42, 120, 121, WORK); /* or nobody would know of the thread */
    expect_rebuilt_anew();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_version_1, begin),
        cmocka_unit_test_setup(test_older_recorder, begin),
        cmocka_unit_test_setup(test_window_of_older_recorder, begin),
        cmocka_unit_test_setup(test_between_summary_and_mapped, begin),
        cmocka_unit_test_setup(test_every_length, begin),
        cmocka_unit_test_setup(test_samples_without_events, begin),
        cmocka_unit_test_setup(test_unmapped_by_another, begin),
        cmocka_unit_test_setup(test_unmapped_by_some, begin),
        cmocka_unit_test_setup(test_calls, begin),
        cmocka_unit_test_setup(test_mapped_meanwhile, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
