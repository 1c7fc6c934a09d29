/* test_spool_state.c - who lives, and what a spool's first pages tell. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool.h"
#include "spool_state.h"

/* Field 22 of our own stat file, read the plain way: our name has no bracket or space. */
static uint64_t own_start_time(void)
{
    unsigned long long start = 0;
    FILE *f = fopen("/proc/self/stat", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f,
                            "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                            "%*d %*d %*d %*d %llu",
                            &start),
                     1);
    fclose(f);
    return start;
}

static void test_process_lives(void **state)
{
    (void)state;
    uint64_t start = own_start_time();
    assert_true(process_is_alive(getpid(), start));
    assert_true(process_is_alive(getpid(), 0));
    assert_false(process_is_alive(getpid(), start + 1)); /* the pid was given out again */
    assert_false(process_is_alive(0, 0));
    assert_false(process_is_alive(-1, 0));
    assert_true(process_is_alive(1, 0));
}

static void test_name_with_brackets(void **state)
{
    (void)state;
    uint64_t start = own_start_time();
    char name[16];
    prctl(PR_GET_NAME, name);
    prctl(PR_SET_NAME, ") S 1 2 ) Z 3");
    assert_true(process_is_alive(getpid(), start));
    assert_false(process_is_alive(getpid(), start + 1));
    prctl(PR_SET_NAME, name);
}

static void test_zombie_is_dead(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0)
        pause();
    assert_true(process_is_alive(child, 0));
    siginfo_t info;
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_false(process_is_alive(child, 0));
    waitpid(child, NULL, 0);
    assert_false(process_is_alive(child, 0));
}

/* A spool of two processes, as far as this module looks. */
struct shown_pages {
    union {
        struct spool_header header;
        uint8_t page0[SPOOL_PAGE];
    };
    union {
        struct spool_control control;
        uint8_t page1[SPOOL_PAGE];
    };
    struct spool_process processes[4];
};

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

static struct shown_pages two_processes(void)
{
    struct shown_pages p = {.header = {.magic = SPOOL_MAGIC,
                                       .version = SPOOL_VERSION,
                                       .tree = 5,
                                       .pid = 999999999,
                                       .parent_pid = 1,
                                       .start_time = 77,
                                       .epoch_ns = 88}};
    memset(p.header.id, 3, sizeof p.header.id);
    own_boot_id(p.header.boot_id);
    p.header.processes = (struct spool_table){offsetof(struct shown_pages, processes),
                                              sizeof(struct spool_process), 4};
    p.control.process_count = 2;
    p.processes[0] = (struct spool_process){.state = 1, .pid = 999999999, .start_time = 77};
    p.processes[1] = (struct spool_process){.state = 1, .pid = 999999998, .start_time = 78};
    return p;
}

static int file_of(const void *data, size_t size)
{
    int fd = memfd_create("spool", 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    return fd;
}

static int is_alive(const struct shown_pages *p)
{
    int fd = file_of(p, sizeof *p);
    int alive = spool_is_alive(fd);
    close(fd);
    return alive;
}

static void test_spool_lives(void **state)
{
    (void)state;
    struct shown_pages p = two_processes();
    assert_false(is_alive(&p));
    p.processes[1].pid = getpid(); /* the child outlives its parent */
    p.processes[1].start_time = own_start_time();
    assert_true(is_alive(&p));
    p.processes[1].end_kind = SPOOL_END_EXEC; /* it is another program now */
    assert_false(is_alive(&p));
    p.processes[1].end_kind = SPOOL_END_EXIT; /* it may still run its last handlers */
    assert_true(is_alive(&p));
    p.processes[1].start_time++;
    assert_false(is_alive(&p));
    p.processes[1].start_time--;
    p.header.boot_id[0] ^= 1; /* before the machine was started again */
    assert_false(is_alive(&p));
    /* The very first moment: no entry yet. */
    p = two_processes();
    p.control.process_count = 0;
    p.header.pid = getpid();
    p.header.start_time = own_start_time();
    assert_true(is_alive(&p));
}

static void test_identify(void **state)
{
    (void)state;
    struct shown_pages p = two_processes();
    struct recording_identity identity;
    struct forks forks = {0};
    int fd = file_of(&p, sizeof p);
    assert_int_equal(spool_identify(fd, &identity, &forks), RECORDING_OK);
    assert_int_equal(identity.is_spool, 1);
    assert_int_equal(identity.pid, 999999999);
    assert_int_equal(identity.parent_pid, 1);
    assert_true(identity.tree == 5 && identity.start_time == 77 && identity.epoch_ns == 88);
    assert_memory_equal(identity.id, p.header.id, sizeof identity.id);
    assert_int_equal(forks.count, 1);
    assert_int_equal(forks.list[0].pid, 999999998);
    assert_true(forks.list[0].start_time == 78);
    free(forks.list);
    assert_int_equal(spool_identify(fd, &identity, NULL), RECORDING_OK);
    close(fd);
}

/* Nobody ever ran there. */
static void test_identify_passes_over_failed_forks(void **state)
{
    (void)state;
    struct shown_pages p = two_processes();
    struct recording_identity identity;
    struct forks forks = {0};
    p.control.process_count = 4;
    p.processes[3] = p.processes[1];
    p.processes[1].pid = p.processes[2].pid = 0;
    p.processes[2].state = 1;
    int fd = file_of(&p, sizeof p);
    assert_int_equal(spool_identify(fd, &identity, &forks), RECORDING_OK);
    assert_int_equal(forks.count, 1);
    assert_int_equal(forks.list[0].serial, 3);
    free(forks.list);
    close(fd);
}

static int identify(const void *data, size_t size)
{
    struct recording_identity identity;
    int fd = file_of(data, size);
    int rc = spool_identify(fd, &identity, NULL);
    close(fd);
    return rc;
}

static void test_refused(void **state)
{
    (void)state;
    struct shown_pages p = two_processes();
    assert_int_equal(identify(&p, 0), RECORDING_EMPTY);
    assert_int_equal(identify(&p, 7), RECORDING_FOREIGN);
    assert_int_equal(identify(&p, 100), RECORDING_DAMAGED);
    p.header.version++;
    assert_int_equal(identify(&p, sizeof p), RECORDING_TOO_NEW);
    p.header.version--;
    p.header.features = 1u << 20;
    assert_int_equal(identify(&p, sizeof p), RECORDING_TOO_NEW);
    /* Tables that lie lead nowhere, but not to a crash. */
    p = two_processes();
    p.header.processes.offset = UINT64_MAX - 64;
    p.control.process_count = UINT32_MAX;
    p.header.processes.capacity = UINT32_MAX;
    assert_false(is_alive(&p));
    p.header.processes.entry_bytes = 1;
    assert_int_equal(identify(&p, sizeof p), RECORDING_OK);
    p.header.magic = 1;
    assert_int_equal(identify(&p, sizeof p), RECORDING_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_lives),
        cmocka_unit_test(test_name_with_brackets),
        cmocka_unit_test(test_zombie_is_dead),
        cmocka_unit_test(test_spool_lives),
        cmocka_unit_test(test_identify),
        cmocka_unit_test(test_identify_passes_over_failed_forks),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
