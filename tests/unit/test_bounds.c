/* test_bounds.c - whatever is written can be read: every table, list and text, to its bound and
 * beyond. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "block.h"
#include "bounded.h"
#include "capture_fixture.h"
#include "classes.h"
#include "collect_fixture.h"
#include "locations.h"
#include "reader.h"
#include "tree.h"

/* Writes the image without any event, and reads it. */
static struct reader *written_and_read(const struct image *image, size_t entries, size_t text_bytes)
{
    struct writer_source source = {0};
    struct reader *r;
    int fd = memfd_create("capture", 0);
    struct writer *w = writer_new(fd, image, &source);
    if (entries)
        writer_limit_blocks(w, entries, text_bytes);
    assert_int_equal(writer_finish(w), WRITER_OK);
    writer_free(w);
    assert_int_equal(reader_open(&r, fd), RECORDING_OK);
    assert_true(reader_is_whole(r));
    return r;
}

static char *long_text(size_t bytes, char last)
{
    char *text = malloc(bytes + 1);
    memset(text, 'x', bytes);
    text[bytes / 2] = last; /* where it is left out */
    text[bytes] = '\0';
    return text;
}

/* Texts of a byte less than the bound, of the bound, of one more, and of a MiB. */
static void test_texts(void **state)
{
    (void)state;
    static const size_t lengths[] = {CAPTURE_TEXT_MAX - 1, CAPTURE_TEXT_MAX, CAPTURE_TEXT_MAX + 1,
                                     1 << 20};
    struct fixture f = fixture_new(3, 20, 0, 2);
    char *texts[8];
    for (size_t i = 0; i < 8; i++) {
        texts[i] = long_text(lengths[i / 2], i % 2 ? 'a' : 'b');
        f.image->functions[i + 1].name = texts[i];
        f.image->functions[i + 1].module = texts[i]; /* once more: it is one text */
    }
    f.image->processes[0].quality.shortened = 0;
    f.image->folder = f.image->processes[1].threads[0].name = texts[7];
    f.image->processes[1].ending = (struct ending){END_EXEC, 0, texts[6]};
    struct reader *r = written_and_read(f.image, 0, 0);
    const struct image *image = reader_image(r);
    for (size_t i = 0; i < 8; i++) {
        const char *name = image->functions[i + 1].name;
        if (lengths[i / 2] <= CAPTURE_TEXT_MAX)
            assert_string_equal(name, texts[i]);
        else
            assert_in_range(strlen(name), CAPTURE_TEXT_MAX - 10, CAPTURE_TEXT_MAX);
        assert_ptr_equal(name, image->functions[i + 1].module);
        if (i > 0) /* two that differ are two */
            assert_string_not_equal(name, image->functions[i].name);
    }
    assert_string_equal(image->folder, image->functions[8].name);
    assert_string_equal(image->processes[1].threads[0].name, image->functions[8].name);
    assert_string_equal(image->processes[1].ending.exec, image->functions[7].name);
    assert_int_equal(image->processes[0].quality.shortened, 4);
    reader_close(r);
    for (size_t i = 0; i < 8; i++)
        free(texts[i]);
    fixture_free(&f);
}

/* Blocks of one entry, of a few, of many: the same is read. */
static void test_split_tables(void **state)
{
    (void)state;
    struct fixture f = fixture_new(5, 40, 3000, 2);
    for (fixture_entries = 1; fixture_entries < 500; fixture_entries *= 7) {
        struct reader *r;
        fixture_text_bytes = fixture_entries * 10;
        assert_int_equal(reader_open(&r, fixture_file(&f, 500)), RECORDING_OK);
        const struct image *image = reader_image(r);
        assert_true(reader_is_whole(r));
        assert_int_equal(image->function_count, f.image->function_count);
        assert_int_equal(image->frame_count, f.image->frame_count);
        for (size_t i = 0; i < image->function_count; i++)
            assert_string_equal(image->functions[i].name, f.image->functions[i].name);
        assert_int_equal(image->stack_count, f.image->stack_count);
        assert_memory_equal(image->stacks, f.image->stacks,
                            image->stack_count * sizeof *image->stacks);
        size_t classes;
        assert_non_null(reader_classes(r, &classes));
        assert_in_range(classes, 2, f.class_count);
        reader_close(r);
    }
    fixture_entries = 0;
    fixture_free(&f);
}

enum { CHECKED_CLASSES = 100, CHECKED_BLOCKS = 300 };

static struct blocks *give_checked(void *context, uint32_t process)
{
    (void)process;
    return context;
}

/* The blocks are allocated in one segment and freed in the next, each class's oldest first. */
static int write_checked(struct fixture *f, struct blocks *blocks, size_t entries)
{
    struct writer_source source = {.context = blocks, .blocks = give_checked};
    int fd = memfd_create("capture", 0);
    struct writer *w = writer_new(fd, f->image, &source);
    writer_limit_blocks(w, entries, 1 << 20);
    writer_limit_segment(w, CHECKED_BLOCKS);
    for (uint32_t i = 0; i < 2 * CHECKED_BLOCKS; i++) {
        struct event e = {.class = 1 + i % CHECKED_CLASSES, .ns = (i + 1) * 1000000ull};
        struct block_class *c = blocks_class(blocks, e.class);
        if (i < CHECKED_BLOCKS) {
            blocks_add(blocks, e.class, c, e.ns);
        } else {
            e.kind = EVENT_FREE;
            e.name = blocks_name(blocks, c, c->oldest);
            blocks_remove(blocks, c, c->oldest);
        }
        assert_int_equal(writer_events(w, 0, &e, 1, f->classes, CHECKED_CLASSES + 1), WRITER_OK);
    }
    assert_int_equal(writer_finish(w), WRITER_OK);
    writer_free(w);
    return fd;
}

/* A checkpoint that is several blocks: reading that begins behind it knows what lives. */
static void test_split_checkpoint(void **state)
{
    (void)state;
    for (size_t entries = 1; entries < 3 * CHECKED_CLASSES; entries *= 6) {
        struct fixture f = fixture_new(17, CHECKED_CLASSES, 0, 1);
        struct blocks blocks = {0};
        struct reader *r;
        struct event e;
        assert_int_equal(reader_open(&r, write_checked(&f, &blocks, entries)), RECORDING_OK);
        assert_int_equal(reader_seek(r, 0, (CHECKED_BLOCKS + 50) * 1000000ull), RECORDING_OK);
        for (uint32_t i = 0; i < CHECKED_BLOCKS; i++) {
            assert_int_equal(reader_next(r, &e), 1);
            assert_int_equal(e.kind, EVENT_FREE);
            assert_int_equal(e.class, 1 + i % CHECKED_CLASSES);
        }
        assert_int_equal(reader_next(r, &e), 0);
        reader_close(r);
        blocks_clear(&blocks);
        fixture_free(&f);
    }
}

static void fill_lists(struct fixture *f, size_t samples)
{
    struct process *p = &f->image->processes[0];
    p->samples = fixture_array(f->image, samples, sizeof *p->samples);
    p->sample_count = samples;
    for (size_t i = 0; i < samples; i++)
        p->samples[i] = (struct sample){i, i == samples / 3 ? 1u << 30 : i % 977};
    p->failure_count = 30;
    p->failures = fixture_array(f->image, p->failure_count, sizeof *p->failures);
    for (size_t i = 0; i < p->failure_count; i++)
        p->failures[i] = (struct failure){.count = 1, .bytes = 100 - i};
    p->quality.left_out = p->quality.shortened = 0;
}

/* Of lists beyond the bound the highest entries are kept, in the usual order, and the rest counted.
 */
static void test_lists(void **state)
{
    (void)state;
    struct fixture f = fixture_new(9, 60, 0, 1);
    struct process *p = &f.image->processes[0];
    fill_lists(&f, 1001);
    uint64_t highest = 0, first_leak = p->leaks[0].bytes;
    for (size_t i = 0; i < p->function_count; i++)
        if (p->functions[i].heap.inclusive.own_peak_bytes > highest)
            highest = p->functions[i].heap.inclusive.own_peak_bytes;
    struct reader *r = written_and_read(f.image, 20, 1 << 20);
    const struct process *got = &reader_image(r)->processes[0];
    assert_int_equal(got->function_count, 20);
    assert_int_equal(got->leak_count, 20);
    assert_int_equal(got->failure_count, 20);
    assert_int_equal(got->failures[19].bytes, 81);
    assert_in_range(got->sample_count, 10, 20);
    assert_true(got->leaks[0].bytes == first_leak);
    uint64_t high = 0, rss = 0;
    for (size_t i = 0; i < 20; i++) {
        assert_true(i == 0 || got->functions[i - 1].function < got->functions[i].function);
        if (got->functions[i].heap.inclusive.own_peak_bytes > high)
            high = got->functions[i].heap.inclusive.own_peak_bytes;
    }
    for (size_t i = 0; i < got->sample_count; i++)
        rss = got->samples[i].rss_bytes > rss ? got->samples[i].rss_bytes : rss;
    assert_true(high == highest && rss == 1u << 30);
    assert_int_equal(got->quality.left_out, p->function_count - 20 + p->leak_count - 20 +
                                                p->failure_count - 20 + 1001 - got->sample_count);
    assert_true(got->totals.allocations == p->totals.allocations);
    reader_close(r);
    r = written_and_read(f.image, 0, 0);
    assert_int_equal(reader_image(r)->processes[0].quality.left_out, 0);
    assert_int_equal(reader_image(r)->processes[0].sample_count, 1001);
    assert_int_equal(reader_image(r)->processes[0].failure_count, 30);
    reader_close(r);
    fixture_free(&f);
}

/* A process with mappings has lists half as long, but for its failures, which MAPPED does not have:
 * what is said to be left out is what was. */
static void test_lists_of_mappings(void **state)
{
    (void)state;
    struct fixture f = fixture_new(21, 60, 0, 2);
    struct process *p = &f.image->processes[1];
    p->failure_count = 25;
    p->failures = fixture_array(f.image, p->failure_count, sizeof *p->failures);
    for (size_t i = 0; i < p->failure_count; i++)
        p->failures[i] = (struct failure){.count = 1, .bytes = 100 - i};
    p->quality.left_out = 0;
    struct reader *r = written_and_read(f.image, 20, 1 << 20);
    const struct process *got = &reader_image(r)->processes[1];
    assert_int_equal(got->function_count, 10);
    assert_int_equal(got->mapped_leak_count, 10);
    assert_int_equal(got->failure_count, 20);
    assert_int_equal(got->quality.left_out,
                     p->function_count - got->function_count + p->leak_count - got->leak_count +
                         p->mapped_leak_count - got->mapped_leak_count + p->failure_count -
                         got->failure_count + p->sample_count - got->sample_count);
    reader_close(r);
    fixture_free(&f);
}

/* The longest lists with the longest numbers fit into a block: what capture_format.h works out. */
static void test_longest_summary(void **state)
{
    (void)state;
    uint64_t bytes = (235 + 50 + 20) * (uint64_t)CAPTURE_LIST_MAX;
    bytes += 2 * TIMELINE_BUCKETS * 80 + 40 * 10;
    assert_in_range(bytes, 0, CAPTURE_BLOCK_MAX);
}

static void test_100000_functions(void **state)
{
    (void)state;
    struct fixture f = fixture_new(11, 100000, 0, 1);
    f.image->processes[0].quality.left_out = 0;
    struct reader *r = written_and_read(f.image, 0, 0);
    const struct image *image = reader_image(r);
    assert_int_equal(image->function_count, 100000);
    assert_string_equal(image->functions[99999].name, f.image->functions[99999].name);
    assert_int_equal(image->processes[0].function_count, 100000);
    assert_int_equal(image->processes[0].leak_count, 150000);
    assert_int_equal(image->processes[0].quality.left_out, 0);
    reader_close(r);
    fixture_free(&f);
}

/* More classes than there may be: of no stack, and of a size at most 1.6 % lower. */
static void test_classes(void **state)
{
    (void)state;
    struct classes classes;
    classes_init(&classes);
    classes.most = 100;
    for (uint64_t i = 1; i < 5000; i++) {
        uint64_t size = i * i * i;
        uint32_t class = classes_find(&classes, (uint32_t)i, size);
        const struct event_class *k = &classes.list[class];
        assert_int_equal(class, classes_find(&classes, (uint32_t)i, size));
        if (i < 100)
            assert_true(k->stack == i && k->size == size);
        else
            assert_true(k->stack == 0 && k->size <= size && size - k->size <= size / 64);
    }
    assert_in_range(classes.count, 101, 100 + 8192);
    assert_int_equal(classes.left_out, 2 * 4900);
    classes_clear(&classes);
}

/* More stacks than there may be end in what is unknown, and say so. */
static void test_stacks(void **state)
{
    (void)state;
    struct fixture f = fixture_new(13, 20, 0, 1);
    struct tree tree;
    f.image->stack_count = 0;
    f.image->stacks = NULL;
    f.image->locations[0].flags = LOCATION_UNKNOWN;
    tree_init(&tree, f.image);
    tree.most = 5;
    uint32_t deepest = 0;
    for (uint32_t i = 1; i < 5; i++)
        deepest = tree_child(&tree, deepest, i);
    assert_int_equal(tree.left_out, 0);
    assert_false(tree.nodes[deepest].truncated);
    uint32_t other = tree_child(&tree, deepest, 7);
    assert_true(tree.nodes[other].truncated);
    assert_int_equal(tree_child(&tree, other, 8), other);
    assert_int_equal(tree_child(&tree, 0, 9), other);
    assert_int_equal(tree_child(&tree, tree_child(&tree, 0, 1), 2), 2);
    assert_int_equal(f.image->stack_count, 6);
    assert_in_range(tree.left_out, 3, 6);
    tree_clear(&tree);
    fixture_free(&f);
}

/* Where there is no room for a new place, a known one is still found, also by another pc id: each
 * forked child numbers anew what it meets. */
static void test_locations(void **state)
{
    (void)state;
    enum { IN_MODULE = 1, RAW = 2, IN_MODULE_AGAIN = 61, RAW_AGAIN = 62, NEW = 63, INVALID = 64 };
    struct spool_builder b;
    struct spool_file file;
    struct locations l;
    builder_init(&b);
    b.control.module_count = 1;
    b.modules[1] = (struct spool_module){.state = 1, .start = 1, .end = 1 << 20, .path_bytes = 4};
    memcpy(b.modules[1].path, "/lib", 4);
    b.pcs[IN_MODULE].module = 1;
    b.pcs[IN_MODULE_AGAIN] = b.pcs[IN_MODULE];
    b.pcs[RAW_AGAIN] = b.pcs[RAW];
    b.pcs[INVALID].flags = 0;
    int fd = builder_file(&b);
    assert_int_equal(spool_file_open(&file, fd), COLLECT_OK);
    struct image *image = image_new();
    locations_init(&l, image, &file, NULL);
    l.most = 100;
    uint32_t in_module = locations_find(&l, IN_MODULE, 0), raw = locations_find(&l, RAW, 0), id = 3;
    while (locations_find(&l, id, 0) != 0)
        id++;
    assert_in_range(id, 10, 60);
    size_t count = image->location_count;
    assert_true(in_module != 0 && raw != 0 && in_module != raw);
    for (int time = 0; time < 2; time++) {
        assert_int_equal(locations_find(&l, IN_MODULE_AGAIN, 0), in_module);
        assert_int_equal(locations_find(&l, RAW_AGAIN, 0), raw);
        assert_int_equal(locations_find(&l, SPOOL_FRAME_RAW, b.pcs[RAW].pc), raw);
        assert_int_equal(locations_find(&l, SPOOL_FRAME_RAW, 0x123456), 0);
        assert_int_equal(locations_find(&l, NEW, 0), 0);
        assert_int_equal(locations_find(&l, INVALID, 0), 0);
    }
    assert_int_equal(image->location_count, count);
    locations_clear(&l);
    image_free(image);
    spool_file_close(&file);
    close(fd);
    builder_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_split_tables),
        cmocka_unit_test(test_split_checkpoint),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_lists_of_mappings),
        cmocka_unit_test(test_longest_summary),
        cmocka_unit_test(test_100000_functions),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_stacks),
        cmocka_unit_test(test_locations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
