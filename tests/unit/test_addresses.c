/* test_addresses.c - where frames lie: in the tables of a capture, of a spool, and in the texts. */
#include "addresses_view.h"
#include "collect_fixture.h"
#include "leaks_view.h"
#include "locations.h"
#include "tables.h"
#include "view_fixture.h"

#include <stdlib.h>

/* ---- a capture's tables ---- */

static const struct object objects[] = {{"", ""}, {"/bin/a", "00ff"}, {"/lib/b.so", ""}};
enum { OBJECTS = 3, LOCATIONS = 6 };
static const struct location locations[LOCATIONS] = {
    {.flags = LOCATION_UNKNOWN},
    {.object = 1, .offset = 0x1234, .begin = 0x1200},
    {.object = 1, .offset = 0x1200, .begin = 0x1200},
    {.object = 2, .offset = 5},
    {.object = 2, .offset = UINT64_MAX, .begin = 1},
    {.object = 1, .offset = 0x1000, .begin = 1},
};

struct file { /* of tables alone */
    struct string_table strings;
    struct bytes payload;
    struct tables tables;
};

static void open_file(struct file *f, uint32_t version)
{
    *f = (struct file){.tables = {.version = version, .memory = arena_new()}};
    string_number(&f->strings, "");
}

static void close_file(struct file *f)
{
    string_table_free(&f->strings);
    bytes_free(&f->payload);
    arena_free(f->tables.memory);
    tables_free(&f->tables);
}

static void put(struct file *f, enum capture_block_type type, const void *table, size_t count)
{
    tables_put(&f->payload, type, &f->strings, table, 0, 0, count);
}

static int read_back(struct file *f, enum capture_block_type type)
{
    return tables_read(&f->tables, type, &f->payload);
}

static void put_and_read_objects(struct file *f)
{
    struct bytes table = {0};
    put(f, BLOCK_OBJECTS, objects, OBJECTS);
    tables_put_strings(&table, &f->strings, 0, 1 << 20);
    assert_int_equal(tables_read(&f->tables, BLOCK_STRINGS, &table), 1);
    assert_int_equal(read_back(f, BLOCK_OBJECTS), 1);
    bytes_free(&table);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct file f;
    open_file(&f, CAPTURE_VERSION);
    put_and_read_objects(&f);
    assert_int_equal(f.tables.object_count, OBJECTS);
    for (size_t i = 0; i < OBJECTS; i++) {
        assert_string_equal(f.tables.objects[i].path, objects[i].path);
        assert_string_equal(f.tables.objects[i].build_id, objects[i].build_id);
    }
    put(&f, BLOCK_LOCATIONS, locations, LOCATIONS);
    assert_int_equal(read_back(&f, BLOCK_LOCATIONS), 1);
    assert_int_equal(f.tables.location_count, LOCATIONS);
    assert_memory_equal(f.tables.locations, locations, sizeof locations);
    close_file(&f);
}

/* Columns of two locations, the second of `object`, at 0x100, so far behind its function's begin.
 */
static void put_locations(struct bytes *payload, uint64_t object, uint64_t distance)
{
    payload->size = 0;
    bytes_number(payload, 0);
    bytes_number(payload, 2);
    for (int zeros = 0; zeros < 2 * 3; zeros++)
        bytes_number(payload, 0);
    bytes_number(payload, zigzag(0)); /* object, as "new": 0, then 1 - object */
    bytes_number(payload, zigzag(1 - object));
    bytes_number(payload, zigzag(0));
    bytes_number(payload, zigzag(0x100));
    bytes_number(payload, 0);
    bytes_number(payload, distance);
}

static int reads_locations(uint32_t version, uint64_t object, uint64_t distance, size_t cut)
{
    struct file f;
    open_file(&f, version);
    put_and_read_objects(&f);
    put_locations(&f.payload, object, distance);
    f.payload.size -= cut;
    int good = read_back(&f, BLOCK_LOCATIONS);
    if (good && version > 1)
        assert_true(f.tables.locations[1].begin <= f.tables.locations[1].offset);
    assert_int_equal(f.tables.location_count, good ? 2 : 0);
    close_file(&f);
    return good;
}

static void test_damaged(void **state)
{
    (void)state;
    assert_true(reads_locations(2, 2, 1, 0));
    assert_true(reads_locations(2, 0, 0, 0));
    assert_true(reads_locations(2, 2, 0x101, 0)); /* at 0: that is "unknown" */
    assert_false(reads_locations(2, 2, 0x102, 0));
    assert_false(reads_locations(2, 2, UINT64_MAX, 0));
    assert_false(reads_locations(2, OBJECTS, 1, 0));
    assert_false(reads_locations(2, UINT32_MAX, 1, 0));
    assert_false(reads_locations(2, 1ull << 32, 1, 0));
    for (size_t cut = 1; cut < 8; cut++)
        assert_false(reads_locations(2, 2, 1, cut));
    assert_true(reads_locations(1, OBJECTS, UINT64_MAX, 0)); /* which knows none of it */
}

static void test_damaged_objects(void **state)
{
    (void)state;
    struct file f;
    open_file(&f, CAPTURE_VERSION);
    put(&f, BLOCK_OBJECTS, objects, OBJECTS); /* its texts are missing */
    assert_int_equal(read_back(&f, BLOCK_OBJECTS), 0);
    assert_int_equal(f.tables.object_count, 0);
    put_and_read_objects(&f);
    assert_int_equal(read_back(&f, BLOCK_OBJECTS), 0); /* begins at 0 again */
    assert_int_equal(f.tables.object_count, OBJECTS);
    close_file(&f);
}

static void test_version_1(void **state)
{
    (void)state;
    struct file f;
    open_file(&f, 1);
    put_locations(&f.payload, 0, 0);
    assert_int_equal(read_back(&f, BLOCK_LOCATIONS), 1);
    const struct location *l = &f.tables.locations[1];
    assert_true(l->object == 0 && l->offset == 0 && l->begin == 0);
    close_file(&f);
}

/* ---- a spool's modules ---- */

#define BIAS         0x7f0000000000ull
#define MODULE_BYTES 0x100000u

static void add_module(struct spool_builder *b, uint32_t serial, const char *path, uint8_t id)
{
    struct spool_module *m = &b->modules[serial];
    *m = (struct spool_module){.state = 1, .start = BIAS, .end = BIAS + MODULE_BYTES, .bias = BIAS};
    m->build_id_bytes = 3;
    memset(m->build_id, id, 3);
    m->path_bytes = (uint32_t)strlen(path);
    memcpy(m->path, path, m->path_bytes);
    b->control.module_count = serial;
}

static void place_pc(struct spool_builder *b, uint32_t id, uint64_t address, uint32_t module,
                     uint32_t flags)
{
    b->pcs[id] = (struct spool_pc){BIAS + address, module, SPOOL_PC_VALID | flags};
}

static void expect_place(struct locations *l, uint32_t id, const char *build_id, uint64_t offset)
{
    const struct location *at = &l->image->locations[locations_find(l, id, 0)];
    const struct object *object = image_object(l->image, at->object);
    assert_non_null(object);
    assert_string_equal(object->build_id, build_id);
    assert_true(at->offset == offset);
}

/* Two builds of one path, which a forked child has registered once more. */
static void test_spool(void **state)
{
    (void)state;
    struct spool_builder b;
    struct spool_file file;
    struct locations l;
    builder_init(&b);
    add_module(&b, 1, "/lib/x.so", 0x0a);
    add_module(&b, 2, "/lib/x.so", 0xff);
    add_module(&b, 3, "/lib/x.so", 0x0a);
    place_pc(&b, 1, 0x500, 1, 0);
    place_pc(&b, 2, 0x500, 2, 0);
    place_pc(&b, 3, 0x500, 3, 0);
    place_pc(&b, 4, 0x500, 1, SPOOL_PC_EXACT);
    int fd = builder_file(&b);
    assert_int_equal(spool_file_open(&file, fd), COLLECT_OK);
    struct image *image = image_new();
    locations_init(&l, image, &file, NULL);
    expect_place(&l, 1, "0a0a0a", 0x4ff);
    expect_place(&l, 2, "ffffff", 0x4ff);
    expect_place(&l, 3, "0a0a0a", 0x4ff);
    expect_place(&l, 4, "0a0a0a", 0x500);
    assert_int_equal(image->object_count, 3);
    assert_string_equal(image->objects[1].path, "/lib/x.so");
    assert_int_equal(image->locations[locations_find(&l, 5, 0)].object, 0); /* in no module */
    locations_clear(&l);
    image_free(image);
    spool_file_close(&file);
    close(fd);
    builder_free(&b);
}

/* ---- functions and texts ---- */

static struct view_fixture v;
static char *text;

static int set_up(void **state)
{
    (void)state;
    fixture_make(&v);
    fixture_function(&v, "main", FUNCTION_RESOLVED | FUNCTION_MAIN, 8, 0, 5);
    fixture_function(&v, "work(int)", FUNCTION_RESOLVED, 4, 1, 2);
    fixture_function(&v, "app+0x1200", 0, 4, 1, 2);
    v.frames[1].line = v.frames[2].line = 0;
    v.frames[1].file = v.frames[2].file = "";
    v.leaks[0] = (struct leak){.stack = 3, .blocks = 1, .bytes = 100};
    v.process.leaks = v.leaks;
    v.process.leak_count = 1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

static void make_leaks(int addresses)
{
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    leaks_text(&v.image, SERIES_HEAP, 0, NULL, -1, addresses, out);
    fclose(out);
}

/* Without a line the site stands behind the name; with one it does not. */
static void test_sites(void **state)
{
    (void)state;
    make_leaks(0);
    assert_non_null(strstr(text, "    app+0x1200+0x10\n"
                                 "    work(int)+0x10  app\n"
                                 "    main  app.c:20\n"));
    v.locations[2].begin = 0; /* a piece of it */
    make_leaks(0);
    assert_non_null(strstr(text, "    work(int)  app+0x1110\n"));
    for (size_t i = 1; i <= 3; i++) /* as a capture of version 1 has it */
        v.locations[i] = (struct location){.frame_first = (uint32_t)i - 1, .frame_count = 1};
    make_leaks(1);
    assert_non_null(strstr(text, "    app+0x1200\n    work(int)  app\n    main  app.c:20\n"));
    assert_null(strstr(text, "/usr/bin/app"));
    assert_null(strstr(text, "build id"));
}

/* A name that is shortened keeps its site. */
static void test_long_name(void **state)
{
    (void)state;
    v.functions[1].name = "a_very_long_name_of_a_function_that_needs_more_than_the_seventy_nine_"
                          "columns_of_a_line_and_so_is_cut";
    make_leaks(0);
    assert_non_null(strstr(text, "+0x10  app\n"));
    assert_null(strstr(text, v.functions[1].name));
}

static void test_addresses(void **state)
{
    (void)state;
    make_leaks(1);
    assert_non_null(strstr(text, "    work(int)+0x10  app\n        /usr/bin/app 0x1110\n"));
    assert_non_null(strstr(text, "\nbuild ids"));
    assert_non_null(strstr(text, "\n  0123456789abcdef0123456789abcdef01234567  /usr/bin/app\n"));
    v.objects[1].build_id = "";
    make_leaks(1);
    assert_non_null(strstr(text, "\n  (no build id)"));
}

/* What is inlined shares the place of what it is inlined in, and begins nowhere. */
static void test_inlined(void **state)
{
    (void)state;
    v.locations[3].frame_first = 1; /* work, inlined in app+0x1200 */
    v.locations[3].frame_count = 2;
    v.stacks[3].parent = 1;
    make_leaks(1);
    assert_non_null(strstr(text, "    work(int)  app\n"
                                 "    app+0x1200+0x10\n"
                                 "        /usr/bin/app 0x1210\n"
                                 "    main  app.c:20\n"
                                 "        /usr/bin/app 0x1010\n"));
    struct address *begins = function_addresses(&v.image);
    assert_true(begins[0].object == 1 && begins[0].offset == 0x1000);
    assert_true(begins[1].object == 1 && begins[1].offset == 0x1100); /* of location 2 */
    assert_true(begins[2].object == 1 && begins[2].offset == 0x1200);
    free(begins);
    v.locations[2].begin = 0;
    begins = function_addresses(&v.image);
    assert_true(begins[1].object == 1 && begins[1].offset == 0);
    free(begins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_objects),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_spool),
        cmocka_unit_test_setup_teardown(test_sites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_inlined, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
