/* test_newcomers.c - processes are found by their spools, each once, whoever collects them. */
#include "newcomers.h"
#include "spool.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define TABLE      65536
#define FILE_BYTES (TABLE + 65536)
#define NAME       "x.mprof.spool"
#define TREE       7

static char folder[] = "/tmp/mprof-newcomers-XXXXXX";
static int folder_fd;
static pid_t found[8];
static size_t found_count;

/* The writer's mapping of a new spool without processes. */
static uint8_t *make_spool(uint64_t tree)
{
    int fd = openat(folder_fd, NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
    uint8_t *spool = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(spool, MAP_FAILED);
    close(fd);
    struct spool_header *h = (struct spool_header *)spool;
    h->version = SPOOL_VERSION;
    h->tree = tree;
    h->processes = (struct spool_table){TABLE, sizeof(struct spool_process), 64};
    h->magic = SPOOL_MAGIC;
    return spool;
}

/* pid 0: a fork is under way. */
static void set_process(uint8_t *spool, uint32_t serial, pid_t pid)
{
    struct spool_control *control = (struct spool_control *)(spool + SPOOL_PAGE);
    struct spool_process *entry = (struct spool_process *)(spool + TABLE) + serial;

    *entry = (struct spool_process){.state = 1, .pid = pid, .start_time = 1};
    if (control->process_count <= serial)
        control->process_count = serial + 1;
}

static void remove_spool(uint8_t *spool)
{
    assert_int_equal(unlinkat(folder_fd, NAME, 0), 0);
    munmap(spool, FILE_BYTES);
}

static void take(void *context, struct proc_identity process)
{
    (void)context;
    assert_true(found_count < sizeof found / sizeof *found);
    found[found_count++] = process.pid;
}

static size_t look(struct newcomers *n)
{
    found_count = 0;
    newcomers_look(n, take, NULL);
    return found_count;
}

static struct newcomers *open_newcomers(void)
{
    struct newcomers *n = newcomers_open(folder_fd, TREE);
    newcomers_allow(n, 1);
    return n;
}

static void test_each_once(void **state)
{
    (void)state;
    struct newcomers *n = open_newcomers();
    assert_int_equal(look(n), 0);
    uint8_t *spool = make_spool(TREE);
    set_process(spool, 0, 11);
    set_process(spool, 1, 0);
    assert_int_equal(look(n), 1);
    assert_int_equal(found[0], 11);
    assert_int_equal(look(n), 0);
    set_process(spool, 1, 12); /* gone or not: whoever watches finds out */
    set_process(spool, 2, 13);
    assert_int_equal(look(n), 2);
    assert_int_equal(found[0], 12);
    assert_int_equal(found[1], 13);
    remove_spool(spool);
    spool = make_spool(TREE); /* another one, which finds room, as the first has been let go */
    set_process(spool, 0, 14);
    assert_int_equal(look(n), 1);
    assert_int_equal(found[0], 14);
    remove_spool(spool);
    newcomers_close(n);
}

static void test_of_another_tree(void **state)
{
    (void)state;
    struct newcomers *n = open_newcomers();
    uint8_t *spool = make_spool(TREE + 1);
    set_process(spool, 0, 11);
    assert_int_equal(look(n), 0);
    remove_spool(spool);
    spool = make_spool(TREE);
    set_process(spool, 0, 12);
    assert_int_equal(look(n), 1);
    remove_spool(spool);
    newcomers_close(n);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
    return folder_fd < 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_of_another_tree),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
