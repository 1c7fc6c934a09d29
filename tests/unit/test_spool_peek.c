/* test_spool_peek.c - who still writes to a spool: processes that live, have ended, or have become
 * another program. */
#include "spool_peek.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

#define TABLE      65536
#define FILE_BYTES (TABLE + 65536)
#define NAME       "x.mprof.spool"

static char folder[] = "/tmp/mprof-peek-XXXXXX";
static int folder_fd;

static struct spool_header *header_of(uint8_t *spool)
{
    return (struct spool_header *)spool;
}

static struct spool_control *control_of(uint8_t *spool)
{
    return (struct spool_control *)(spool + SPOOL_PAGE);
}

static struct spool_process *process_of(uint8_t *spool, uint32_t serial)
{
    return (struct spool_process *)(spool + TABLE) + serial;
}

/* The writer's mapping of a new spool without processes; its magic is not there yet. */
static uint8_t *make_spool(void)
{
    unlinkat(folder_fd, NAME, 0);
    int fd = openat(folder_fd, NAME, O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
    uint8_t *spool = mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(spool, MAP_FAILED);
    close(fd);
    header_of(spool)->version = SPOOL_VERSION;
    header_of(spool)->processes = (struct spool_table){TABLE, sizeof(struct spool_process), 64};
    return spool;
}

static void add_process(uint8_t *spool, pid_t pid)
{
    uint32_t serial = control_of(spool)->process_count++;
    struct proc_stat stat = {0};

    if (pid != 0)
        assert_true(proc_stat_read(pid, &stat));
    *process_of(spool, serial) =
        (struct spool_process){.state = 1, .pid = pid, .start_time = stat.start_time};
    if (serial == 0) {
        header_of(spool)->pid = pid;
        header_of(spool)->start_time = stat.start_time;
    }
}

static void open_peek(struct spool_peek *p, uint8_t *spool)
{
    header_of(spool)->magic = SPOOL_MAGIC;
    assert_int_equal(spool_peek_open(p, folder_fd, NAME), SPOOL_PEEK_OK);
}

/* A child that does not outlive a failed test. */
static pid_t fork_mortal(void)
{
    pid_t pid = fork();

    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    return pid;
}

/* Another program, which has nothing of ours mapped any more. */
static pid_t start_sleeper(void)
{
    int ends[2];
    char none;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork_mortal();
    if (pid == 0) {
        execlp("sleep", "sleep", "60", NULL);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &none, 1), 0); /* the exec closes the other end */
    close(ends[0]);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_what_is_a_spool(void **state)
{
    struct spool_peek p;
    (void)state;

    assert_int_equal(spool_peek_open(&p, folder_fd, "missing.spool"), SPOOL_PEEK_IO);
    assert_int_equal(errno, ENOENT);
    uint8_t *spool = make_spool();
    assert_int_equal(spool_peek_open(&p, folder_fd, NAME), SPOOL_PEEK_NOT_YET);
    header_of(spool)->magic = 12345;
    assert_int_equal(spool_peek_open(&p, folder_fd, NAME), SPOOL_PEEK_OTHER);
    header_of(spool)->magic = SPOOL_MAGIC;
    header_of(spool)->version = SPOOL_VERSION + 1;
    assert_int_equal(spool_peek_open(&p, folder_fd, NAME), SPOOL_PEEK_TOO_NEW);
    header_of(spool)->version = 0;
    assert_int_equal(spool_peek_open(&p, folder_fd, NAME), SPOOL_PEEK_OTHER);
    for (uint32_t version = 1; version <= SPOOL_VERSION; version++) {
        header_of(spool)->version = version;
        assert_int_equal(spool_peek_open(&p, folder_fd, NAME), SPOOL_PEEK_OK);
        spool_peek_close(&p);
    }
    assert_int_equal(symlinkat(NAME, folder_fd, "link.spool"), 0);
    assert_int_equal(spool_peek_open(&p, folder_fd, "link.spool"), SPOOL_PEEK_IO);
    unlinkat(folder_fd, "link.spool", 0);
    int fd = openat(folder_fd, "empty.spool", O_WRONLY | O_CREAT, 0600);
    close(fd);
    assert_int_equal(spool_peek_open(&p, folder_fd, "empty.spool"), SPOOL_PEEK_NOT_YET);
    unlinkat(folder_fd, "empty.spool", 0);
    munmap(spool, FILE_BYTES);
}

static void test_living_and_dead(void **state)
{
    struct spool_peek p;
    uint8_t *spool = make_spool();
    pid_t child = start_sleeper();
    (void)state;

    add_process(spool, getpid());
    add_process(spool, child);
    open_peek(&p, spool);
    assert_int_equal(spool_peek_refresh(&p), 2);
    assert_true(spool_peek_in_use(&p));
    end(child);
    assert_int_equal(spool_peek_refresh(&p), 1);

    /* A newcomer is met; one whose start time is another is a later process of the same pid. */
    child = start_sleeper();
    add_process(spool, child);
    process_of(spool, 2)->start_time++;
    assert_int_equal(spool_peek_refresh(&p), 1);
    process_of(spool, 0)->start_time++;
    assert_int_equal(spool_peek_refresh(&p), 0);
    end(child);
    spool_peek_close(&p);
    munmap(spool, FILE_BYTES);
}

/* A damaged table of billions of entries takes neither memory nor time for each. */
static void test_absurd_count(void **state)
{
    struct spool_peek p;
    struct quality sum = {0};
    uint8_t *spool = make_spool();
    (void)state;

    add_process(spool, getpid());
    header_of(spool)->processes.capacity = control_of(spool)->process_count = UINT32_MAX;
    open_peek(&p, spool);
    assert_int_equal(spool_peek_refresh(&p), 1);
    assert_true(p.capacity <= 1u << 21);
    assert_int_equal(spool_peek_loss(&p, &sum), 0);
    spool_peek_close(&p);
    munmap(spool, FILE_BYTES);
}

static void test_zombie(void **state)
{
    struct spool_peek p;
    siginfo_t info;
    uint8_t *spool = make_spool();
    pid_t child = start_sleeper();
    (void)state;

    add_process(spool, child);
    open_peek(&p, spool);
    assert_int_equal(spool_peek_refresh(&p), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(spool_peek_refresh(&p), 0);
    waitpid(child, NULL, 0);
    spool_peek_close(&p);
    munmap(spool, FILE_BYTES);
}

/* Nobody of the table lives, but someone has the file mapped for writing: a process of another pid
 * namespace, or a forked child that has not signed in. */
static void test_unknown_writer(void **state)
{
    struct spool_peek p;
    uint8_t *spool = make_spool();
    (void)state;

    add_process(spool, getpid());
    add_process(spool, 0);
    open_peek(&p, spool);
    process_of(spool, 0)->start_time++;
    assert_int_equal(spool_peek_refresh(&p), 0);
    int in_use = spool_peek_in_use(&p);
    munmap(spool, FILE_BYTES);
    assert_false(spool_peek_in_use(&p));
    spool_peek_close(&p);
    if (!in_use)
        skip(); /* a file system that does not know: then the table decides */
}

static void test_exec(void **state)
{
    struct spool_peek p;
    uint8_t *spool = make_spool();
    pid_t other = start_sleeper();
    (void)state;

    add_process(spool, getpid());
    add_process(spool, other);
    open_peek(&p, spool);
    /* Announced, but not (yet) done: the spool is still mapped. */
    process_of(spool, 0)->end_kind = SPOOL_END_EXEC;
    assert_int_equal(spool_peek_refresh(&p), 2);
    assert_int_equal(p.successor_count, 0);
    assert_int_equal(spool_peek_end(&p), SPOOL_END_EXEC);
    process_of(spool, 1)->end_kind = SPOOL_END_EXEC;
    assert_int_equal(spool_peek_refresh(&p), 1);
    assert_int_equal(p.successor_count, 1);
    assert_int_equal(p.successors[0].pid, other);
    end(other);
    spool_peek_close(&p);
    munmap(spool, FILE_BYTES);
}

/* Counts and places that point out of the file are no harm. */
static void test_lies(void **state)
{
    struct spool_peek p;
    uint8_t *spool = make_spool();
    (void)state;

    add_process(spool, getpid());
    header_of(spool)->processes.offset = UINT64_MAX - 4;
    control_of(spool)->process_count = UINT32_MAX;
    open_peek(&p, spool);
    spool_peek_refresh(&p);
    assert_int_equal(p.looked, 64);
    spool_peek_close(&p);
    memset(control_of(spool)->reason, 'r', sizeof control_of(spool)->reason);
    header_of(spool)->processes.offset = TABLE;
    open_peek(&p, spool);
    char reason[SPOOL_REASON_BYTES];
    spool_peek_reason(p.fd, reason);
    assert_int_equal(strlen(reason), SPOOL_REASON_BYTES - 1);
    spool_peek_close(&p);
    munmap(spool, FILE_BYTES);
}

/* ---- proc_stat ---- */

static void *sleep_on(void *argument)
{
    (void)argument;
    pause();
    return NULL;
}

static void test_first_thread_ended(void **state)
{
    struct proc_stat stat = {0};
    pid_t pid = fork_mortal();
    (void)state;

    if (pid == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, sleep_on, NULL);
        pthread_exit(NULL);
    }
    for (int i = 0; i < 200 && stat.state != 'Z'; i++) {
        usleep(10000);
        assert_true(proc_stat_read(pid, &stat));
    }
    assert_int_equal(stat.state, 'Z');
    assert_true(proc_alive((struct proc_identity){pid, stat.start_time}));
    end(pid);
    assert_false(proc_alive((struct proc_identity){pid, stat.start_time}));
}

static void test_descendants(void **state)
{
    struct proc_identity found[16];
    int ready[2], answer = 0;
    (void)state;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork_mortal();
    if (child == 0) {
        pid_t grandchild = fork_mortal();
        if (grandchild > 0)
            assert_int_equal(write(ready[1], &grandchild, sizeof grandchild), sizeof grandchild);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &answer, sizeof answer), sizeof answer);
    size_t count = proc_descendants(getpid(), found, 16);
    assert_int_equal(count, 2);
    assert_int_equal(found[0].pid, child);
    assert_int_equal(found[1].pid, answer);
    assert_int_equal(proc_descendants(getpid(), found, 1), 1);
    kill(answer, SIGKILL);
    end(child);
    close(ready[0]);
    close(ready[1]);
}

static int set_up(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
    return folder_fd < 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlinkat(folder_fd, NAME, 0);
    close(folder_fd);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_a_spool),
        cmocka_unit_test(test_living_and_dead),
        cmocka_unit_test(test_absurd_count),
        cmocka_unit_test(test_zombie),
        cmocka_unit_test(test_unknown_writer),
        cmocka_unit_test(test_exec),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_first_thread_ended),
        cmocka_unit_test(test_descendants),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
