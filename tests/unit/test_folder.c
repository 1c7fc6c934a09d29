/* test_folder.c - which recordings a folder has, whose children they are, and what rm would take.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "choice.h"
#include "folder.h"
#include "removal.h"
#include "scratch.h"
#include "spool.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORKS_MAX 100

/* A spool's head: who it is, who started it, and whom it forked: that many, with pids in a row. */
struct head {
    int pid, parent;
    uint64_t start_time, parent_start_time, tree, epoch_s;
    int forked;
    uint64_t forked_start_time;
    uint8_t boot, id;
    int fork_count; /* 0: one, if there is a pid */
};

static uint8_t next_id;

static void write_spool(const char *name, struct head head)
{
    struct spool_header h = {.magic = SPOOL_MAGIC, .version = SPOOL_VERSION};
    struct spool_process processes[1 + FORKS_MAX] = {{.state = 1}};
    int forks = head.forked ? head.fork_count + !head.fork_count : 0;
    static const char zero[SPOOL_PAGE];
    assert_true(forks <= FORKS_MAX);
    memset(h.id, head.id ? head.id : ++next_id, sizeof h.id);
    memset(h.boot_id, head.boot ? head.boot : 7, sizeof h.boot_id);
    h.pid = head.pid;
    h.parent_pid = head.parent;
    h.start_time = head.start_time;
    h.parent_start_time = head.parent_start_time;
    h.tree = head.tree;
    h.epoch_ns = head.epoch_s * 1000000000u;
    h.processes = (struct spool_table){2 * SPOOL_PAGE, sizeof *processes, 1 + FORKS_MAX};
    h.chunks_offset = 8 * SPOOL_PAGE;
    processes[0].pid = head.pid;
    processes[0].start_time = head.start_time;
    for (int i = 0; i < forks; i++)
        processes[1 + i] = (struct spool_process){
            .state = 1, .pid = head.forked + i, .start_time = head.forked_start_time};
    struct spool_control control = {.process_count = (uint32_t)(1 + forks),
                                    .carved = 8 * SPOOL_PAGE};
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_true(sizeof processes <= 6 * SPOOL_PAGE);
    for (int page = 0; page < 8; page++)
        assert_int_equal(write(fd, zero, sizeof zero), sizeof zero);
    assert_int_equal(pwrite(fd, &h, sizeof h, 0), sizeof h);
    assert_int_equal(pwrite(fd, &control, sizeof control, SPOOL_PAGE), sizeof control);
    assert_int_equal(pwrite(fd, processes, sizeof processes, 2 * SPOOL_PAGE), sizeof processes);
    close(fd);
}

static void write_text(const char *name, const char *text)
{
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

#define NAME(second, pid) "mprofile_202611220336" second "_" pid ".mprof"

static void expect_entry(const struct folder *folder, size_t i, const char *name, size_t root,
                         long index)
{
    assert_true(i < folder->count);
    assert_string_equal(folder->entries[i].name, name);
    assert_int_equal(folder->entries[i].root, root);
    assert_int_equal(folder->entries[i].index, index);
}

/* ---- names ---- */

static void test_default_names(void **state)
{
    (void)state;
    static const char *const right[] = {"mprofile_20261122033648_1.mprof",
                                        "mprofile_20261122033648_4194304.mprof",
                                        "x/y/mprofile_20261122033648_1.mprof.12"};
    static const char *const wrong[] = {"mprofile_2026112203364_1.mprof",
                                        "mprofile_202611220336488_1.mprof",
                                        "mprofile_20261122033648_.mprof",
                                        "mprofile_20261122033648_1.mprof.",
                                        "mprofile_20261122033648_1.mprof.1x",
                                        "mprofile_20261122033648_1.mprof.png",
                                        "mprofile_20261122033648_1.dat",
                                        "xmprofile_20261122033648_1.mprof",
                                        "mprofile_",
                                        ""};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        assert_true(folder_is_default_name(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(folder_is_default_name(wrong[i]));
}

static void expect_folder(const char *file, const char *wanted)
{
    char *path = folder_of_file(file);
    assert_string_equal(path, wanted);
    free(path);
}

static void test_folder_of_file(void **state)
{
    (void)state;
    expect_folder("x.mprof", ".");
    expect_folder("a/b/x.mprof", "a/b");
    expect_folder("/x.mprof", "/");
    expect_folder("./x", ".");
}

/* ---- roots and children ---- */

static void test_roots_in_order_of_start(void **state)
{
    (void)state;
    struct folder folder;
    write_spool(NAME("50", "30") ".spool", (struct head){30, 1, 300, 1, 0, 1050, 0, 0, 0, 0, 0});
    write_spool(NAME("48", "10") ".spool", (struct head){10, 1, 100, 1, 0, 1048, 0, 0, 0, 0, 0});
    write_spool("named.mprof.spool", (struct head){20, 1, 200, 1, 0, 1049, 0, 0, 0, 0, 0});
    write_text(NAME("49", "99"), "this is no recording");
    write_text(NAME("51", "99"), "");
    assert_int_equal(mkdir(NAME("52", "99"), 0777), 0);
    assert_int_equal(mkfifo(NAME("53", "99"), 0666), 0);
    assert_int_equal(folder_read(&folder, "."), 0);
    assert_int_equal(folder.count, 3);
    expect_entry(&folder, 0, NAME("48", "10"), 0, 0);
    expect_entry(&folder, 1, "named.mprof", 1, -1);
    expect_entry(&folder, 2, NAME("50", "30"), 2, 1);
    assert_ptr_equal(folder_at(&folder, 0), &folder.entries[0]);
    assert_ptr_equal(folder_at(&folder, -1), &folder.entries[2]);
    assert_ptr_equal(folder_at(&folder, -2), &folder.entries[0]);
    assert_null(folder_at(&folder, 2));
    assert_null(folder_at(&folder, -3));
    assert_ptr_equal(folder_named(&folder, "named.mprof"), &folder.entries[1]);
    assert_ptr_equal(folder_named(&folder, "x/named.mprof.spool"), &folder.entries[1]);
    assert_null(folder_named(&folder, "named"));
    folder_free(&folder);
}

static void test_children(void **state)
{
    (void)state;
    struct folder folder;
    /* 10 forked 11, which exec'd (b) and started 12 (c), which exec'd over itself (d). */
    write_spool(NAME("01", "10") ".spool", (struct head){10, 1, 100, 1, 0, 1, 11, 110, 0, 0, 0});
    write_spool(NAME("02", "11") ".spool", (struct head){11, 10, 110, 100, 0, 2, 0, 0, 0, 0, 0});
    write_spool(NAME("03", "12") ".spool", (struct head){12, 11, 120, 110, 0, 3, 0, 0, 0, 0, 0});
    write_spool(NAME("03", "12") ".1.spool", (struct head){12, 11, 120, 110, 0, 4, 0, 0, 0, 0, 0});
    /* The same pids again: later processes, and another boot. */
    write_spool(NAME("05", "11") ".spool", (struct head){11, 10, 911, 910, 0, 5, 0, 0, 0, 0, 0});
    write_spool(NAME("06", "11") ".spool", (struct head){11, 10, 110, 100, 0, 6, 0, 0, 9, 0, 0});
    assert_int_equal(folder_read(&folder, "."), 0);
    assert_int_equal(folder.count, 6);
    expect_entry(&folder, 0, NAME("01", "10"), 0, 0);
    expect_entry(&folder, 1, NAME("02", "11"), 0, -1);
    expect_entry(&folder, 2, NAME("03", "12"), 0, -1);
    expect_entry(&folder, 3, NAME("03", "12") ".1", 0, -1);
    expect_entry(&folder, 4, NAME("05", "11"), 4, 1);
    expect_entry(&folder, 5, NAME("06", "11"), 5, 2);
    folder_free(&folder);
}

/* A child of a forked child whose own program was never recorded; and what a parent's pid alone
 * must not make a child of. */
static void test_child_of_a_forked_process(void **state)
{
    (void)state;
    struct folder folder;
    write_spool(NAME("01", "10") ".spool", (struct head){10, 1, 100, 1, 0, 1, 11, 110, 0, 0, 0});
    write_spool(NAME("02", "12") ".spool", (struct head){12, 11, 120, 110, 0, 2, 0, 0, 0, 0, 0});
    write_spool(NAME("03", "13") ".spool", (struct head){13, 10, 130, 0, 0, 3, 0, 0, 0, 0, 0});
    assert_int_equal(folder_read(&folder, "."), 0);
    expect_entry(&folder, 1, NAME("02", "12"), 0, -1);
    expect_entry(&folder, 2, NAME("03", "13"), 2, 1);
    folder_free(&folder);
}

/* However many came before it. */
static void test_child_of_the_last_of_many_forked_ones(void **state)
{
    (void)state;
    struct folder folder;
    write_spool("root.spool", (struct head){.pid = 10,
                                            .start_time = 100,
                                            .epoch_s = 1,
                                            .forked = 1000,
                                            .forked_start_time = 150,
                                            .fork_count = FORKS_MAX});
    write_spool("exec.spool",
                (struct head){1000 + FORKS_MAX - 1, 10, 150, 100, 0, 2, 0, 0, 0, 0, 0});
    assert_int_equal(folder_read(&folder, "."), 0);
    expect_entry(&folder, 0, "root", 0, -1);
    expect_entry(&folder, 1, "exec", 0, -1);
    assert_int_equal(folder.entries[0].forks.count, FORKS_MAX);
    folder_free(&folder);
}

static void test_a_tree_belongs_together(void **state)
{
    (void)state;
    struct folder folder;
    write_spool(NAME("01", "10") ".spool", (struct head){10, 1, 100, 1, 55, 1, 0, 0, 0, 0, 0});
    write_spool(NAME("02", "20") ".spool", (struct head){20, 1, 200, 1, 55, 2, 0, 0, 0, 0, 0});
    write_spool(NAME("03", "30") ".spool", (struct head){30, 1, 300, 1, 56, 3, 0, 0, 0, 0, 0});
    assert_int_equal(folder_read(&folder, "."), 0);
    expect_entry(&folder, 1, NAME("02", "20"), 0, -1);
    expect_entry(&folder, 2, NAME("03", "30"), 2, 1);
    folder_free(&folder);
}

static void test_one_recording_has_several_files(void **state)
{
    (void)state;
    struct folder folder;
    write_spool("a.mprof.spool", (struct head){10, 1, 100, 1, 0, 1, 0, 0, 0, 5, 0});
    write_spool("a.mprof.part", (struct head){10, 1, 100, 1, 0, 1, 0, 0, 0, 5, 0});
    write_spool("a.mprof", (struct head){11, 1, 100, 1, 0, 1, 0, 0, 0, 6, 0});
    assert_int_equal(folder_read(&folder, "."), 0);
    assert_int_equal(folder.count, 1);
    assert_int_equal(folder.entries[0].files, FOLDER_CAPTURE | FOLDER_SPOOL | FOLDER_PART);
    assert_int_equal(folder.entries[0].identity.pid, 11);
    folder_free(&folder);
    assert_int_equal(folder_read(&folder, "no/such"), -1);
    folder_free(&folder);
}

static void test_names_from_operands(void **state)
{
    (void)state;
    write_spool(NAME("48", "10") ".spool", (struct head){10, 1, 100, 1, 0, 1048, 0, 0, 0, 0, 0});
    write_spool("0.spool", (struct head){20, 1, 200, 1, 0, 1049, 0, 0, 0, 0, 0});
    char *name = choice_name(NULL);
    assert_string_equal(name, NAME("48", "10"));
    free(name);
    name = choice_name("-1");
    assert_string_equal(name, NAME("48", "10"));
    free(name);
    name = choice_name("0"); /* a file of that name goes first */
    assert_string_equal(name, "0");
    free(name);
    assert_true(choice_is_index(NULL) && choice_is_index("-1") && choice_is_index("1"));
    assert_false(choice_is_index("0") || choice_is_index(NAME("48", "10")));
}

/* ---- removal ---- */

static int exists(const char *name)
{
    return access(name, F_OK) == 0;
}

static void remove_entry(const char *name, int dry_run)
{
    struct folder folder;
    struct removal plan = {0};
    assert_int_equal(folder_read(&folder, "."), 0);
    const struct folder_entry *entry = folder_named(&folder, name);
    assert_non_null(entry);
    removal_add(&plan, &folder, entry);
    removal_add(&plan, &folder, entry); /* twice the same is once */
    assert_true(plan.recordings > 0 && plan.recordings <= folder.count);
    folder_free(&folder);
    int saved = dup(STDOUT_FILENO);
    assert_non_null(freopen("/dev/null", "w", stdout));
    assert_int_equal(removal_finish(&plan, dry_run), 0);
    fflush(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

static void test_removal_takes_recordings_only(void **state)
{
    (void)state;
    write_spool("root.mprof.spool", (struct head){10, 1, 100, 1, 0, 1, 0, 0, 0, 5, 0});
    write_spool("root.mprof", (struct head){10, 1, 100, 1, 0, 1, 0, 0, 0, 5, 0});
    write_spool("child.mprof.spool", (struct head){11, 10, 110, 100, 0, 2, 0, 0, 0, 0, 0});
    write_spool("other.mprof.spool", (struct head){20, 1, 200, 1, 0, 3, 0, 0, 0, 0, 0});
    write_text("root.mprof.part", "somebody's own file");
    write_text("child.mprof", "somebody's own file");
    remove_entry("root.mprof", 1);
    assert_true(exists("root.mprof") && exists("root.mprof.spool") && exists("child.mprof.spool"));
    remove_entry("root.mprof", 0);
    assert_false(exists("root.mprof") || exists("root.mprof.spool") || exists("child.mprof.spool"));
    assert_true(exists("root.mprof.part") && exists("child.mprof") && exists("other.mprof.spool"));
}

static void test_removal_of_a_child_alone(void **state)
{
    (void)state;
    write_spool("root.mprof.spool", (struct head){10, 1, 100, 1, 0, 1, 0, 0, 0, 0, 0});
    write_spool("child.mprof.spool", (struct head){11, 10, 110, 100, 0, 2, 0, 0, 0, 0, 0});
    remove_entry("child.mprof", 0);
    assert_true(exists("root.mprof.spool"));
    assert_false(exists("child.mprof.spool"));
}

/* What goes when `run -o NAME` takes NAME's place: only the numbered ones of its own tree. */
static void test_removal_of_what_is_numbered(void **state)
{
    (void)state;
    struct folder folder;
    struct removal plan = {0};
    write_spool("n.mprof.spool", (struct head){10, 1, 100, 1, 55, 1, 0, 0, 0, 0, 0});
    write_spool("n.mprof.1.spool", (struct head){11, 10, 110, 100, 55, 2, 0, 0, 0, 0, 0});
    write_spool("n.mprof.2.spool", (struct head){12, 1, 120, 1, 56, 3, 0, 0, 0, 0, 0});
    write_spool("child.mprof.spool", (struct head){13, 10, 130, 100, 55, 4, 0, 0, 0, 0, 0});
    write_text("n.mprof.3", "somebody's own file");
    assert_int_equal(folder_read(&folder, scratch), 0); /* by its path, as run does */
    const struct folder_entry *entry = folder_named(&folder, "n.mprof");
    removal_add_numbered(&plan, &folder, entry);
    assert_int_equal(plan.recordings, 1);
    removal_carry_out(&plan);
    folder_free(&folder);
    assert_false(exists("n.mprof.1.spool"));
    assert_true(exists("n.mprof.spool") && exists("n.mprof.2.spool") && exists("n.mprof.3") &&
                exists("child.mprof.spool"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        TEST(test_child_of_the_last_of_many_forked_ones),
        cmocka_unit_test(test_default_names),
        cmocka_unit_test(test_folder_of_file),
        TEST(test_roots_in_order_of_start),
        TEST(test_children),
        TEST(test_child_of_a_forked_process),
        TEST(test_a_tree_belongs_together),
        TEST(test_one_recording_has_several_files),
        TEST(test_names_from_operands),
        TEST(test_removal_takes_recordings_only),
        TEST(test_removal_of_a_child_alone),
        TEST(test_removal_of_what_is_numbered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
