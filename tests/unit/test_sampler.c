/* test_sampler.c - a process is sampled before anybody collects it, and is no other of its pid. */
#include "collect_fixture.h"
#include "proc_stat.h"
#include "sampler.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define NAME "x.mprof.spool"
#define MS   1000

static char folder[] = "/tmp/mprof-sampler-XXXXXX";

/* A child that does not outlive a failed test. */
static struct proc_identity start_child(void)
{
    struct proc_stat stat;
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    assert_true(proc_stat_read(pid, &stat));
    return (struct proc_identity){pid, stat.start_time};
}

static void end(struct proc_identity child)
{
    kill(child.pid, SIGKILL);
    assert_int_equal(waitpid(child.pid, NULL, 0), child.pid);
}

/* Makes the process that of the spool, and puts a copy into the folder. */
static void put_spool(struct spool_builder *b, int folder_fd, struct proc_identity process)
{
    size_t size;

    b->header.pid = b->processes[0].pid = process.pid;
    b->header.start_time = b->processes[0].start_time = process.start_time;
    uint8_t *bytes = builder_bytes(b, &size);
    int fd = openat(folder_fd, NAME, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
    free(bytes);
}

/* How many samples a collector gets of the process that comes this late. */
static size_t samples_of(struct sampler *s, struct spool_builder *b, struct proc_identity process)
{
    struct collector *c;
    int fd = builder_file(b);

    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    sampler_watch(s, process, process.pid, 0, c);
    sampler_forget(s, c);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    size_t count = process_of(c, 0)->sample_count;
    collector_free(c);
    close(fd);
    return count;
}

static void test_collected_late(void **state)
{
    struct spool_builder *b = malloc(sizeof *b);
    (void)state;

    builder_init(b);
    assert_non_null(mkdtemp(folder));
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
    struct newcomers *n = newcomers_open(folder_fd, b->header.tree);
    newcomers_allow(n, 1);
    struct sampler *s = sampler_start(0.005);
    sampler_find(s, n);
    struct proc_identity child = start_child(), other = {child.pid, child.start_time + 1};
    put_spool(b, folder_fd, child);
    usleep(200 * MS);
    assert_int_equal(samples_of(s, b, other), 0); /* a later one of that pid, perhaps */
    end(child);
    usleep(50 * MS);
    assert_true(samples_of(s, b, child) > 2);
    assert_int_equal(samples_of(s, b, other), 0);
    sampler_stop(s);
    newcomers_close(n);
    unlinkat(folder_fd, NAME, 0);
    close(folder_fd);
    rmdir(folder);
    builder_free(b);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_collected_late)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
