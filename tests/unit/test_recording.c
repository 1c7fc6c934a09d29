/* test_recording.c - a recording by its name, in whatever state it is; and the timeline. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "capture_fixture.h"
#include "recording.h"
#include "spool.h"
#include "spool_state.h"
#include "timeline.h"

#define TICK CAPTURE_TICK_NS

static char folder[] = "/tmp/test_recording_XXXXXX";

/* In place of libc's: fails as it may on a file system that is far away, which leaves in *status
 * what was there. */
static int fstat_error;

int fstat(int fd, struct stat *status)
{
    if (fstat_error == 0)
        return fstatat(fd, "", status, AT_EMPTY_PATH);
    memset(status, 0x55, sizeof *status);
    errno = fstat_error;
    return -1;
}

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    return chdir("/") != 0 || rmdir(folder) != 0;
}

static void put_file(const char *name, const void *data, size_t size)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    close(fd);
}

static void put_capture(const char *name, const struct fixture *f)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(fixture_write(f, fd, 100), WRITER_OK);
    close(fd);
}

static int exists(const char *name)
{
    return access(name, F_OK) == 0;
}

/* A process is only looked for if the spool is of this boot. */
static void own_boot_id(uint8_t id[16])
{
    char text[64] = "";
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    const char *p = text;
    for (int i = 0; i < 16; i++, p += 2) {
        unsigned byte;
        p += *p == '-';
        assert_int_equal(sscanf(p, "%2x", &byte), 1);
        id[i] = (uint8_t)byte;
    }
}

/* A small spool: one dead process that allocated three blocks and freed one. */
struct small_spool {
    union {
        struct spool_header header;
        uint8_t page0[SPOOL_PAGE];
    };
    union {
        struct spool_control control;
        uint8_t page1[SPOOL_PAGE];
    };
    uint8_t info[SPOOL_PAGE];
    union {
        struct spool_process processes[4];
        uint8_t page3[SPOOL_PAGE];
    };
    struct spool_module modules[4];
    union {
        struct spool_pc pcs[16];
        uint8_t page8[SPOOL_PAGE];
    };
    union {
        struct {
            struct spool_chunk chunk;
            uint8_t events[SPOOL_PAGE - sizeof(struct spool_chunk)];
        };
        uint8_t page9[SPOOL_PAGE];
    };
};

static void add_spool_event(struct small_spool *s, size_t *size, struct spool_delta *d,
                            enum spool_kind kind, uint64_t ticks, uint64_t address, uint64_t bytes)
{
    struct spool_event e = {.kind = kind, .ticks = ticks, .address = address, .size = bytes};
    *size += spool_encode(s->events + *size, d, &e);
}

static void fill_small_spool(struct small_spool *s, uint8_t id, int32_t pid)
{
    memset(s, 0, sizeof *s);
    s->header = (struct spool_header){.magic = SPOOL_MAGIC,
                                      .version = SPOOL_VERSION,
                                      .pid_space = own_pid_space(),
                                      .pid = pid,
                                      .parent_pid = 1,
                                      .epoch_ns = 1,
                                      .start = {1000, 1000},
                                      .clock = SPOOL_CLOCK_NS,
                                      .machine = 62,
                                      .cap = sizeof *s};
    memset(s->header.id, id, sizeof s->header.id);
    own_boot_id(s->header.boot_id);
    s->header.info_offset = offsetof(struct small_spool, info);
    s->header.info_bytes = SPOOL_PAGE;
    s->header.processes = (struct spool_table){offsetof(struct small_spool, processes),
                                               sizeof(struct spool_process), 4};
    s->header.modules =
        (struct spool_table){offsetof(struct small_spool, modules), sizeof(struct spool_module), 4};
    s->header.pcs =
        (struct spool_table){offsetof(struct small_spool, pcs), sizeof(struct spool_pc), 16};
    s->header.chunks_offset = offsetof(struct small_spool, page9);
    s->control.carved = sizeof *s;
    s->control.process_count = 1;
    s->control.stream_count = 1;
    s->processes[0] = (struct spool_process){.state = 1, .pid = pid, .parent_pid = 1, .threads = 1};
    struct spool_delta d = {1000, 0};
    size_t size = 0;
    add_spool_event(s, &size, &d, SPOOL_THREAD, 1000, (uint64_t)pid, 0);
    add_spool_event(s, &size, &d, SPOOL_ALLOC, 2000, 0x10000, 100);
    add_spool_event(s, &size, &d, SPOOL_ALLOC, 3000, 0x20000, 50);
    add_spool_event(s, &size, &d, SPOOL_ALLOC, 4000, 0x30000, 7);
    add_spool_event(s, &size, &d, SPOOL_FREE, 5000, 0x20000, 0);
    s->chunk = (struct spool_chunk){.mark = SPOOL_CHUNK_MARK,
                                    .sequence = 1,
                                    .offset = offsetof(struct small_spool, page9),
                                    .bytes = SPOOL_PAGE,
                                    .opened = {1000, 1000},
                                    .commit = 1ull << 32 | size};
    memset(s->chunk.id8, id, sizeof s->chunk.id8);
}

static void put_spool(const char *name, uint8_t id, int32_t pid)
{
    static struct small_spool s;
    fill_small_spool(&s, id, pid);
    put_file(name, &s, sizeof s);
}

#define DEAD 999999999

static void expect_small(struct recording *r, int running)
{
    const struct image *image = recording_image(r);
    struct event e;
    assert_int_equal(image->running, running);
    assert_int_equal(image->cut, 0);
    assert_int_equal(image->process_count, 1);
    assert_true(image->processes[0].totals.allocations == 3);
    assert_true(image->processes[0].totals.frees == 1);
    assert_true(image->processes[0].totals.peak_bytes == 157);
    assert_true(image->processes[0].totals.live_at_end_bytes == 107);
    assert_int_equal(recording_seek(r, 0, 0), RECORDING_OK);
    const uint64_t sizes[] = {100, 50, 7, 50};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(recording_next(r, &e), 1);
        assert_true(e.bytes == sizes[i]);
        assert_int_equal(e.kind, i < 3 ? EVENT_ALLOC : EVENT_FREE);
    }
    assert_int_equal(recording_next(r, &e), 0);
}

static void open_and_expect_small(const char *name, int running)
{
    struct recording *r;
    assert_int_equal(recording_open(&r, name), RECORDING_OK);
    expect_small(r, running);
    recording_close(r);
}

static void test_bare_spool_is_collected_once(void **state)
{
    (void)state;
    put_spool("a.spool", 1, DEAD);
    open_and_expect_small("a", 0);
    assert_true(exists("a") && !exists("a.spool") && !exists("a.part"));
    struct stat status;
    assert_int_equal(stat("a", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    open_and_expect_small("a", 0);
    unlink("a");
}

static void test_spool_by_its_own_name(void **state)
{
    (void)state;
    put_spool("a.spool", 1, DEAD);
    open_and_expect_small("a.spool", 0);
    assert_true(exists("a") && !exists("a.spool"));
    /* With no name to derive, it is read and left. */
    put_spool("b", 1, DEAD);
    open_and_expect_small("b", 0);
    assert_true(exists("b") && !exists("b.part"));
    unlink("a");
    unlink("b");
}

static void test_running_program_is_a_snapshot(void **state)
{
    (void)state;
    put_spool("a.spool", 1, getpid());
    open_and_expect_small("a", 1);
    assert_true(!exists("a") && exists("a.spool") && !exists("a.part"));
    unlink("a.spool");
}

static void test_spool_of_another_collector(void **state)
{
    (void)state;
    put_spool("a.spool", 1, DEAD);
    int fd = open("a.spool", O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    open_and_expect_small("a", 0);
    assert_true(!exists("a") && exists("a.spool"));
    close(fd);
    unlink("a.spool");
}

static void test_orphaned_part_is_replaced(void **state)
{
    (void)state;
    put_spool("a.spool", 1, DEAD);
    put_file("a.part", "", 0);
    open_and_expect_small("a", 0);
    assert_true(exists("a") && !exists("a.spool") && !exists("a.part"));
    unlink("a");
    /* Nor is it touched where it is no capture: browsers name downloads so. */
    put_spool("a.spool", 1, DEAD);
    put_file("a.part", "somebody's", 10);
    open_and_expect_small("a", 0);
    assert_true(!exists("a") && exists("a.spool") && exists("a.part"));
    unlink("a.spool");
    unlink("a.part");
    /* Somebody writes to it: hands off. */
    put_spool("a.spool", 1, DEAD);
    put_file("a.part", "rest", 4);
    int fd = open("a.part", O_RDONLY);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    open_and_expect_small("a", 0);
    assert_true(!exists("a") && exists("a.spool") && exists("a.part"));
    close(fd);
    /* A link that leads elsewhere is not written through. */
    unlink("a.part");
    put_file("precious", "keep", 4);
    assert_int_equal(symlink("precious", "a.part"), 0);
    open_and_expect_small("a", 0);
    struct stat status;
    assert_int_equal(stat("precious", &status), 0);
    assert_int_equal(status.st_size, 4);
    unlink("a.part");
    unlink("precious");
    unlink("a");
    unlink("a.spool");
}

/* A capture and its own spool: the capture counts if it is whole, else the spool. */
static void test_capture_beside_its_spool(void **state)
{
    (void)state;
    put_spool("a.spool", 1, DEAD);
    open_and_expect_small("a", 0);
    put_spool("a.spool", 1, getpid()); /* still written to by a child */
    open_and_expect_small("a", 0);
    assert_true(exists("a.spool"));
    put_spool("a.spool", 1, DEAD);
    open_and_expect_small("a", 0);
    assert_false(exists("a.spool"));
    /* The capture lost its end. */
    struct stat status;
    assert_int_equal(stat("a", &status), 0);
    assert_int_equal(truncate("a", status.st_size - 50), 0);
    struct recording *r;
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    assert_int_equal(recording_image(r)->cut, 1);
    recording_close(r);
    put_spool("a.spool", 1, DEAD);
    open_and_expect_small("a", 0);
    assert_false(exists("a.spool"));
    /* A part beside it is the spool's business, too. */
    assert_int_equal(rename("a", "a.part"), 0);
    assert_int_equal(truncate("a.part", status.st_size - 50), 0);
    put_spool("a.spool", 1, DEAD);
    open_and_expect_small("a.part", 0);
    assert_true(exists("a") && !exists("a.part") && !exists("a.spool"));
    unlink("a");
}

/* NAME is another recording than NAME.spool: both can be read, neither is touched. */
static void test_another_recording_in_the_way(void **state)
{
    (void)state;
    struct fixture f = fixture_new(3, 6, 300, 1);
    struct recording *r;
    put_capture("a", &f);
    put_spool("a.spool", 1, DEAD);
    assert_int_equal(recording_open(&r, "a"), RECORDING_OK);
    assert_memory_equal(recording_image(r)->id, f.image->id, 16);
    recording_close(r);
    open_and_expect_small("a.spool", 0);
    assert_true(exists("a") && exists("a.spool") && !exists("a.part"));
    put_file("a", "no recording", 12);
    open_and_expect_small("a.spool", 0);
    assert_true(exists("a.spool"));
    unlink("a");
    unlink("a.spool");
    fixture_free(&f);
}

static void expect_error(const char *name, int error)
{
    struct recording *r = (struct recording *)name;
    struct recording_identity identity;
    int rc = recording_open(&r, name);
    assert_int_equal(rc, error);
    assert_null(r);
    assert_true(strlen(recording_strerror(rc)) > 10);
    assert_int_equal(recording_identify(name, &identity, NULL), error);
}

static void test_what_is_none(void **state)
{
    (void)state;
    expect_error("missing", RECORDING_MISSING);
    expect_error("missing/too", RECORDING_MISSING);
    put_file("empty", "", 0);
    expect_error("empty", RECORDING_EMPTY);
    put_file("text", "CMDLINE ls\n", 11);
    expect_error("text", RECORDING_FOREIGN);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    expect_error("pipe", RECORDING_FOREIGN);
    errno = 0;
    expect_error(".", RECORDING_IO);
    assert_int_equal(errno, EISDIR);
    put_spool("a.spool", 1, DEAD);
    assert_int_equal(truncate("a.spool", 100), 0);
    expect_error("a.spool", RECORDING_DAMAGED);
    unlink("a.spool");
    unlink("empty");
    unlink("text");
    unlink("pipe");
    recording_close(NULL);
}

static void test_file_that_cannot_be_asked_for(void **state)
{
    (void)state;
    put_file("text", "CMDLINE ls\n", 11);
    fstat_error = ESTALE;
    expect_error("text", RECORDING_IO);
    assert_int_equal(errno, ESTALE);
    fstat_error = 0;
    unlink("text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bare_spool_is_collected_once),
        cmocka_unit_test(test_spool_by_its_own_name),
        cmocka_unit_test(test_running_program_is_a_snapshot),
        cmocka_unit_test(test_spool_of_another_collector),
        cmocka_unit_test(test_orphaned_part_is_replaced),
        cmocka_unit_test(test_capture_beside_its_spool),
        cmocka_unit_test(test_another_recording_in_the_way),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_file_that_cannot_be_asked_for),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
