/* test_differences.c - what a self-check found, from the spool's labels to the report. */
#include "collect_fixture.h"
#include "report_view.h"

enum { MAIN = 1, WORK = 2, OTHER = 3 };

static struct spool_builder b;
static struct builder_stream *s;
static char *text;

static int set_up(void **state)
{
    (void)state;
    builder_init(&b);
    s = builder_stream(&b, 0, 0);
    builder_alloc(s, 10, 0x1000, 100, FRAMES(MAIN, WORK));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(text);
    text = NULL;
    return 0;
}

/* {count, count, left} and the frames: pc ids, or 0xffffff and the pc 0x77. */
static void add_label(uint64_t time, uint64_t number, const uint32_t head[3], size_t frames,
                      const uint32_t *ids, size_t cut)
{
    uint8_t payload[400], *p = payload + 12;
    memcpy(payload, head, 12);
    for (size_t i = 0; i < frames; i++)
        p += spool_encode_frame(p, ids[i], 0x77);
    struct spool_event e = {.kind = SPOOL_LABEL,
                            .address = number,
                            .size = (uint64_t)(p - payload) - cut,
                            .payload = payload};
    builder_event(s, time, e, NULL);
}

static struct collector *collect_checked(uint64_t compared, uint64_t differ)
{
    b.processes[0].checked = compared;
    b.processes[0].differing = differ;
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->quality.selfcheck_compared, compared);
    assert_int_equal(process_of(c, 0)->quality.selfcheck_differences, differ);
    check_sums(collector_image(c));
    return c;
}

static void report_of(const struct collector *c, void (*view)(const struct report *, FILE *))
{
    struct kin kin = {.forker = KIN_NONE, .starter = KIN_NONE};
    struct relative relative = {.recording = "x.mprof", .command = "x", .ending = {.exec = ""}};
    size_t order = 0;
    unsigned char in_tree = 1, is_left = 0;
    struct family family = {.kin = &kin,
                            .relatives = &relative,
                            .count = 1,
                            .order = &order,
                            .order_count = 1,
                            .in_tree = &in_tree,
                            .is_left = &is_left};
    struct report report = {.image = collector_image(c),
                            .sort = "peak",
                            .count = 0,
                            .family = &family,
                            .source = collector_image(c)};
    size_t bytes;
    free(text);
    FILE *out = open_memstream(&text, &bytes);
    view(&report, out);
    fclose(out);
}

static void expect_text(const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in: %s", part, text);
}

static void test_both_stacks(void **state)
{
    (void)state;
    add_label(20, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){3, 2, 5},
              FRAMES(WORK, MAIN, SPOOL_FRAME_UNKNOWN, WORK, SPOOL_FRAME_RAW), 0);
    struct collector *c = collect_checked(9, 1);
    const struct process *p = process_of(c, 0);
    assert_int_equal(p->difference_count, 1);
    assert_int_equal(p->differences[0].ns, 20);
    assert_string_equal(p->differences[0].ours, "(5 equal frames)\n"
                                                "0x000000002000  0x2000 ()\n"
                                                "0x000000001000  0x1000 ()\n"
                                                "what lies further out is unknown\n");
    assert_string_equal(p->differences[0].theirs, "(5 equal frames)\n"
                                                  "0x000000002000  0x2000 ()\n"
                                                  "0x000000000077  0x77 ()\n");
    report_of(c, report_text);
    expect_text("self-check    9 stacks compared, 1 differs\n");
    expect_text("    0x000000001000  0x1000 ()\n");
    expect_text("  libunwind's\n    (5 equal frames)\n    0x000000002000  0x2000 ()\n");
    report_of(c, report_json);
    expect_text("\"selfcheck_compared\": 9");
    expect_text("\"0x000000000077  0x77 ()\"");
    collector_free(c);
}

static void test_nothing_was_compared(void **state)
{
    (void)state;
    struct collector *c = collect_checked(0, 0);
    report_of(c, report_text);
    assert_null(strstr(text, "self-check"));
    report_of(c, report_json);
    expect_text("\"selfcheck\": []");
    collector_free(c);
}

static void test_none_differs(void **state)
{
    (void)state;
    struct collector *c = collect_checked(1, 0);
    report_of(c, report_text);
    expect_text("self-check    1 stack compared, none differs\n");
    collector_free(c);
}

/* All are counted, the first are kept. */
static void test_many(void **state)
{
    (void)state;
    for (unsigned i = 0; i < DIFFERENCES_KEPT + 5; i++)
        add_label(20 + i, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){1, 1, 0}, FRAMES(WORK, MAIN), 0);
    struct collector *c = collect_checked(100, DIFFERENCES_KEPT + 5);
    assert_int_equal(process_of(c, 0)->difference_count, DIFFERENCES_KEPT);
    collector_free(c);
}

/* Labels of other numbers are not ours; what is not whole is left out. */
static void test_nonsense(void **state)
{
    (void)state;
    add_label(20, 7, (uint32_t[]){1, 1, 0}, FRAMES(WORK, MAIN), 0);
    add_label(21, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){1, 2, 0}, FRAMES(WORK, MAIN), 0);
    add_label(22, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){UINT32_MAX, 1, 0}, FRAMES(WORK, MAIN), 0);
    add_label(23, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){1, 1, 0}, FRAMES(WORK, SPOOL_FRAME_RAW), 1);
    add_label(24, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){0, 0, 0}, FRAMES(WORK), 3 + 1);
    add_label(25, SPOOL_LABEL_DIFFERENCE, (uint32_t[]){1, 1, 0}, FRAMES(0xffff0, 0), 0);
    struct collector *c = collect_checked(6, 6);
    assert_int_equal(process_of(c, 0)->difference_count, 1);
    assert_int_equal(process_of(c, 0)->differences[0].ns, 25);
    collector_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_both_stacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_was_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_none_differs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nonsense, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
