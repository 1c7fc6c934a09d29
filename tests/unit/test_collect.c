/* test_collect.c - processes, chunks and streams as the collector drives them; the live steps. */
#include "collect_fixture.h"
#include "spool_state.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MAIN = 1, WORK = 2, OTHER = 3 };

static struct spool_builder b;
static struct builder_stream *s;

static int set_up(void **state)
{
    (void)state;
    builder_init(&b);
    s = builder_stream(&b, 0, 0);
    return 0;
}

static void expect(const struct collector *c, size_t serial, uint64_t allocations, uint64_t frees,
                   uint64_t peak, uint64_t live)
{
    const struct totals *t = &process_of(c, serial)->totals;
    assert_int_equal(t->allocations, allocations);
    assert_int_equal(t->frees, frees);
    assert_int_equal(t->peak_bytes, peak);
    assert_int_equal(t->live_at_end_bytes, live);
    assert_int_equal(process_of(c, serial)->quality.unmatched_frees, 0);
    assert_int_equal(process_of(c, serial)->quality.implied_frees, 0);
}

static void expect_inherited(const struct collector *c, size_t serial, uint64_t blocks,
                             uint64_t bytes_left)
{
    assert_int_equal(process_of(c, serial)->quality.inherited, blocks);
    assert_int_equal(process_of(c, serial)->quality.inherited_bytes, bytes_left);
}

static void test_image_facts(void **state)
{
    (void)state;
    struct collector *c = collect(&b);
    const struct image *image = collector_image(c);
    assert_int_equal(image->argc, 3);
    assert_string_equal(image->argv[0], "victim");
    assert_string_equal(image->argv[2], "two words");
    assert_memory_equal(image->id, "0123456789abcdef", 16);
    assert_int_equal(image->process_count, 1);
    assert_int_equal(image->processes[0].pid, 4000000);
    assert_int_equal(image->processes[0].ending.kind, END_UNKNOWN);
    assert_int_equal(image->cut, 0);
    assert_int_equal(process_of(c, 0)->totals.allocations, 0);
    collector_free(c);
}

/*
 * Parent: 3 blocks of 10; forks 1 between the 2nd and the 3rd; frees its 1st before the child does.
 * Child 1: frees both it inherited, one of them within a realloc; makes 2 of 100; forks 2.
 * Grandchild 2: inherits 2 blocks of the child; frees one of these.
 */
static void test_forks(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    builder_alloc(s, 20, 0x2000, 10, FRAMES(MAIN));
    uint32_t child = builder_fork(&b, 0, 30, 0);
    builder_plain(s, 30, SPOOL_FORK, child, 0);
    struct builder_stream *t = builder_stream(&b, child, 0);
    builder_free_block(s, 40, 0x1000);
    builder_alloc(s, 41, 0x1000, 10, FRAMES(MAIN, WORK)); /* the parent's affair only */
    builder_free_block(t, 50, 0x1000);
    builder_plain(t, 51, SPOOL_REALLOC_BEGIN, 0x2000, 0);
    builder_stacked(t, 52, SPOOL_REALLOC_MOVED, 0x2000, 100, FRAMES(MAIN, OTHER));
    builder_alloc(t, 53, 0x3000, 100, FRAMES(MAIN, OTHER));
    uint32_t grandchild = builder_fork(&b, child, 60, 0);
    builder_plain(t, 60, SPOOL_FORK, grandchild, 0);
    struct builder_stream *u = builder_stream(&b, grandchild, 0);
    builder_free_block(t, 70, 0x3000);
    builder_free_block(u, 80, 0x3000);
    builder_alloc(u, 81, 0x9000, 1, FRAMES(WORK));
    struct collector *c = collect(&b);
    expect(c, 0, 3, 1, 20, 20);
    expect_inherited(c, 0, 0, 0);
    expect(c, child, 2, 3, 200, 100);
    expect_inherited(c, child, 2, 0);
    expect(c, grandchild, 1, 1, 1, 1);
    expect_inherited(c, grandchild, 2, 100);
    assert_int_equal(process_of(c, grandchild)->parent, child);
    assert_int_equal(process_of(c, child)->begin_ns, 30);
    assert_null(usage_of(c, 0, OTHER));
    assert_null(usage_of(c, grandchild, OTHER));
    assert_int_equal(usage_of(c, grandchild, WORK)->heap.self.own_peak_bytes, 1);
    check_sums(collector_image(c));
    collector_free(c);
}

/* No FORK event (clone, _Fork): the time in the process entry says when. */
static void test_late_fork(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    uint32_t child = builder_fork(&b, 0, 20, SPOOL_PROCESS_LATE);
    builder_free_block(s, 30, 0x1000);
    struct builder_stream *t = builder_stream(&b, child, 0);
    builder_free_block(t, 40, 0x1000);
    struct collector *c = collect(&b);
    expect(c, child, 0, 1, 0, 0);
    expect_inherited(c, child, 1, 0);
    expect(c, 0, 1, 1, 10, 0);
    collector_free(c);
}

/* A block between REALLOC_BEGIN and its end at the fork is in the child's memory, too. */
static void test_fork_within_a_realloc(void **state)
{
    (void)state;
    struct builder_stream *other = builder_stream(&b, 0, 1);
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    builder_plain(s, 20, SPOOL_REALLOC_BEGIN, 0x1000, 0);
    uint32_t child = builder_fork(&b, 0, 30, 0);
    builder_plain(other, 30, SPOOL_FORK, child, 0);
    builder_stacked(s, 40, SPOOL_REALLOC_MOVED, 0x2000, 10, FRAMES(MAIN));
    struct builder_stream *t = builder_stream(&b, child, 0);
    builder_free_block(t, 50, 0x1000);
    struct collector *c = collect(&b);
    expect(c, child, 0, 1, 0, 0);
    expect_inherited(c, child, 1, 0);
    collector_free(c);
}

static void test_silent_children(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    uint32_t silent = builder_fork(&b, 0, 20, 0), unborn = builder_fork(&b, 0, 21, 0);
    builder_plain(s, 20, SPOOL_FORK, silent, 0);
    builder_plain(s, 21, SPOOL_FORK, unborn, 0);
    b.processes[unborn].pid = 0; /* the fork failed */
    struct collector *c = collect(&b);
    assert_int_equal(collector_image(c)->process_count, 2);
    assert_int_equal(process_of(c, silent)->pid, 4000001);
    expect_inherited(c, silent, 1, 10);
    assert_int_equal(process_of(c, silent)->leak_count, 0);
    collector_free(c);
}

/* Threads that hand blocks to each other over many chunks, the streams' chunks interleaved. */
static void test_threads_and_chunks(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 1);
    for (uint32_t i = 0; i < 1000; i++) {
        if (i % 100 == 99) {
            builder_next_chunk(i % 200 == 99 ? s : t, 10 + i * 10);
            builder_alloc(s, 14 + i * 10, 0x900000 + i * 16, 1, FRAMES(MAIN));
        }
        builder_alloc(i % 3 ? s : t, 15 + i * 10, 0x10000, 100, FRAMES(MAIN, WORK));
        builder_free_block(i % 2 ? s : t, 16 + i * 10, 0x10000);
    }
    struct collector *c = collect(&b);
    expect(c, 0, 1010, 1000, 109 + 1, 10);
    assert_int_equal(process_of(c, 0)->thread_count, 2);
    assert_int_equal(usage_of(c, 0, WORK)->heap.self.own_peak_bytes, 100);
    check_sums(collector_image(c));
    collector_free(c);
}

static void expect_lower_first(struct builder_stream *lower, struct builder_stream *higher)
{
    lower->chunk->header.stream = 0;
    higher->chunk->header.stream = 1;
    builder_alloc(lower, 10, 0x1000, 100, FRAMES(MAIN));
    builder_free_block(lower, 20, 0x1000);
    builder_alloc(higher, 20, 0x2000, 10, FRAMES(MAIN));
    struct collector *c = collect(&b);
    expect(c, 0, 2, 1, 100, 10);
    collector_free(c);
}

/* Two threads at the same moments: the stream with the lower number comes first, wherever its chunk
 * lies. */
static void test_equal_times(void **state)
{
    expect_lower_first(s, builder_stream(&b, 0, 1));
    set_up(state);
    expect_lower_first(builder_stream(&b, 0, 1), s);
}

/* A stream serves another thread; the stack goes on relative to what it was. */
static void test_stream_changes_hands(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN, WORK));
    builder_thread(s, 20, 5);
    struct spool_event e = {
        .kind = SPOOL_ALLOC, .address = 0x2000, .size = 20, .has_stack = 1, .base = 1, .push = 1};
    builder_event(s, 30, e, (uint32_t[]){OTHER});
    builder_free_block(s, 40, 0x1000);
    struct collector *c = collect(&b);
    expect(c, 0, 2, 1, 30, 20);
    assert_int_equal(process_of(c, 0)->thread_count, 2);
    assert_int_equal(process_of(c, 0)->totals.temporary, 0);
    assert_int_equal(usage_of(c, 0, MAIN)->heap.inclusive.own_peak_bytes, 30);
    assert_int_equal(usage_of(c, 0, MAIN)->heap.span.thread, 5);
    assert_int_equal(usage_of(c, 0, MAIN)->heap.span.begin_ns, 30);
    assert_int_equal(usage_of(c, 0, WORK)->heap.span.thread, 0);
    collector_free(c);
}

static void test_lost_and_samples_and_ending(void **state)
{
    (void)state;
    struct collector *c;
    struct ending ending = {.kind = END_SIGNAL, .value = 9};
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    struct spool_event sample = {.kind = SPOOL_SAMPLE, .address = BUILDER_START + 50, .size = 7000};
    builder_event(s, 50, sample, NULL);
    b.processes[0].lost_allocations = 3;
    b.processes[0].lost_frees = 4;
    b.processes[0].lost_other = 5;
    b.processes[0].lost_bytes = 600;
    b.processes[0].lost_maps = 2;
    b.processes[0].lost_since = BUILDER_START + 40;
    int fd = builder_file(&b);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    collector_ended(c, 4000000, ending, BUILDER_START + 90);
    collector_sample(c, 4000000, BUILDER_START + 80, (struct resident){9000, 9500});
    collector_sample(c, 4000000, BUILDER_START - 80, (struct resident){1, 9100});
    collector_sample(c, 77, BUILDER_START + 80,
                     (struct resident){100000, 100000}); /* not of this image */
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    const struct process *p = process_of(c, 0);
    assert_int_equal(p->quality.lost, 12);
    assert_int_equal(p->quality.lost_bytes, 600);
    assert_int_equal(p->quality.loss.allocations, 3);
    assert_int_equal(p->quality.loss.frees, 4);
    assert_int_equal(p->quality.loss.since_ns, 40);
    assert_int_equal(p->totals.allocations, 1 + 3); /* what is lost is counted all the same */
    assert_int_equal(p->totals.frees, 4);
    assert_int_equal(p->totals.allocated_bytes, 10 + 600);
    assert_int_equal(p->totals.maps, 2);
    assert_int_equal(p->totals.peak_bytes, 10);
    assert_int_equal(p->totals.rss_peak_bytes, 9000);
    assert_int_equal(p->totals.rss_mark_bytes, 9500);
    assert_int_equal(p->sample_count, 3);
    assert_int_equal(p->samples[0].ns, 0);
    assert_int_equal(p->samples[1].ns, 50);
    assert_int_equal(p->samples[1].rss_bytes, 7000);
    assert_int_equal(p->ending.kind, END_SIGNAL);
    assert_int_equal(p->ending.value, 9);
    assert_string_equal(p->ending.exec, "");
    assert_int_equal(p->end_ns, 90); /* when that was seen */
    collector_free(c);
    close(fd);
    builder_free(&b);
}

/* Of a child, and of a preloaded program, the recorder alone sees an orderly exit. */
static void test_exit_that_the_recorder_saw(void **state)
{
    (void)state;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    uint32_t child = builder_fork(&b, 0, 15, 0);
    builder_plain(s, 15, SPOOL_FORK, child, 0);
    b.processes[child].end_kind = SPOOL_END_EXIT;
    b.processes[child].end_ticks = BUILDER_START + 60;
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->ending.kind, END_UNKNOWN);
    assert_int_equal(process_of(c, child)->ending.kind, END_EXITED);
    collector_free(c);
}

/* What is seen of a process after its exec is another image's. */
static void test_samples_end_at_the_exec(void **state)
{
    (void)state;
    struct collector *c;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    b.processes[0].end_kind = SPOOL_END_EXEC;
    b.processes[0].end_ticks = BUILDER_START + 60;
    b.high_water[0] = 7777;
    int fd = builder_file(&b);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    collector_sample(c, 4000000, BUILDER_START + 50, (struct resident){7000, 7100});
    collector_sample(c, 4000000, BUILDER_START + 61, (struct resident){90000, 90000});
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    const struct process *p = process_of(c, 0);
    assert_int_equal(p->sample_count, 1);
    assert_int_equal(p->totals.rss_peak_bytes, 7000);
    assert_int_equal(p->totals.rss_mark_bytes, 7777); /* noted before the exec */
    assert_int_equal(p->end_ns, 60);
    collector_free(c);
    close(fd);
    builder_free(&b);
}

/* Samples that another collector has taken, and a mark that the caller knows. */
static void test_resident_set_from_elsewhere(void **state)
{
    (void)state;
    struct collector *c;
    static const struct sample earlier[] = {{20, 500}, {30, 600}};
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    uint32_t child = builder_fork(&b, 0, 15, 0); /* closed before all events are taken */
    builder_plain(s, 15, SPOOL_FORK, child, 0);
    builder_alloc(builder_stream(&b, child, 0), 16, 0x2000, 10, FRAMES(WORK));
    builder_alloc(s, 40, 0x3000, 10, FRAMES(MAIN));
    int fd = builder_file(&b);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    collector_earlier_samples(c, child, earlier + 1, 1);
    collector_earlier_samples(c, 0, earlier, 2);
    collector_earlier_samples(c, 7, earlier, 2); /* of no process */
    collector_high_water(c, 4000000, 1234);
    collector_family(c, 3);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    const struct process *p = process_of(c, 0);
    assert_int_equal(p->sample_count, 2);
    assert_int_equal(p->samples[1].rss_bytes, 600);
    assert_int_equal(process_of(c, child)->sample_count, 1);
    assert_int_equal(process_of(c, child)->totals.rss_peak_bytes, 600);
    assert_int_equal(p->totals.rss_mark_bytes, 1234);
    assert_int_equal(totals_resident(&p->totals), 1234);
    assert_int_equal(collector_image(c)->beside, 3);
    collector_free(c);
    close(fd);
    builder_free(&b);
}

/* Chunks whose process serial is beyond all sense. */
static void test_foreign_process(void **state)
{
    (void)state;
    struct builder_stream *t = builder_stream(&b, 0, 0), *u = builder_stream(&b, 0, 0);
    t->chunk->header.process = 0xfffffff0;
    u->chunk->header.process = 5; /* an entry that was never made */
    builder_alloc(u, 10, 0x1000, 10, FRAMES(MAIN));
    struct collector *c = collect(&b);
    assert_int_equal(collector_image(c)->cut, 1);
    assert_int_equal(process_of(c, 5)->totals.allocations, 1);
    collector_free(c);
}

/* ---- live ---- */

static void write_state(int fd)
{
    size_t size;
    uint8_t *bytes = builder_bytes(&b, &size);
    assert_int_equal(pwrite(fd, bytes, size, 0), (ssize_t)size);
    free(bytes);
}

/* The spool grows between the steps; what is committed arrives once and in order. A hole is filled
 * later, and a busy stream holds back what is later than its last event. */
static void test_live_steps(void **state)
{
    (void)state;
    struct collector *c;
    int fd = memfd_create("spool", MFD_CLOEXEC);
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    write_state(fd);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    assert_int_equal(collector_step(c), 2); /* THREAD, ALLOC */
    assert_int_equal(collector_step(c), 0);

    struct builder_stream *t = builder_stream(&b, 0, 1), *u = builder_stream(&b, 0, 2);
    t->chunk->header.mark = 0; /* claimed, not there yet */
    builder_alloc(u, 20, 0x2000, 10, FRAMES(MAIN));
    write_state(fd);
    assert_int_equal(collector_step(c), 2);

    t->chunk->header.mark = SPOOL_CHUNK_MARK;
    t->chunk->header.busy = 1;
    builder_alloc(t, 30, 0x3000, 10, FRAMES(MAIN));
    builder_free_block(u, 40, 0x3000); /* later than what t may be about to commit */
    builder_alloc(s, 25, 0x4000, 10, FRAMES(MAIN));
    write_state(fd);
    assert_int_equal(collector_step(c), 3); /* t's THREAD and ALLOC, s's ALLOC */

    t->chunk->header.busy = 0;
    builder_plain(t, 35, SPOOL_REALLOC_BEGIN, 0x3000, 0);
    builder_stacked(t, 36, SPOOL_REALLOC_MOVED, 0x3000, 11, FRAMES(MAIN));
    builder_next_chunk(t, 37);
    t->chunk->header.busy = 1;
    write_state(fd);
    assert_int_equal(collector_step(c), 3); /* seen between two chunks: u's free still waits */
    t->chunk->header.busy = 0;
    write_state(fd);
    assert_int_equal(collector_step(c), 1);
    builder_alloc(t, 50, 0x5000, 10, FRAMES(MAIN));
    write_state(fd);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    expect(c, 0, 6, 2, 41, 40);
    collector_free(c);
    close(fd);
    builder_free(&b);
}

/* A snapshot of a running program, and no more. */
static void test_running(void **state)
{
    (void)state;
    struct collector *c;
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    int fd = builder_file(&b);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    assert_int_equal(collector_finish(c, 1), COLLECT_OK);
    assert_int_equal(collector_image(c)->running, 1);
    expect(c, 0, 1, 0, 10, 10);
    collector_free(c);
    close(fd);
    builder_free(&b);
}

/* A child with the number of a dead process, recorded in the pid namespace `space`, and collected
 * for longer than it takes to find out. */
static struct collector *watch_dead_child(uint64_t space, uint32_t *serial, int *fd)
{
    struct collector *c;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    uint32_t child = *serial = builder_fork(&b, 0, 30, 0);
    b.header.pid_space = space;
    b.processes[child].pid = pid;
    builder_plain(s, 30, SPOOL_FORK, child, 0);
    struct builder_stream *t = builder_stream(&b, child, 0);
    builder_free_block(t, 40, 0x1000);
    builder_alloc(t, 41, 0x1000, 5, FRAMES(WORK));
    *fd = builder_file(&b);
    assert_int_equal(collector_open(&c, *fd, -1, NULL), COLLECT_OK);
    assert_int_equal(collector_step(c), 6);
    for (int i = 0; i < 25; i++) { /* it looks about once a second */
        usleep(100000);
        collector_step(c);
    }
    return c;
}

/* A child that is dead is let go of while the rest runs on; its figures stay. */
static void test_dead_child_is_retired(void **state)
{
    (void)state;
    uint32_t child;
    int fd;
    struct collector *c = watch_dead_child(own_pid_space(), &child, &fd);
    assert_int_equal(process_of(c, child)->totals.live_at_end_bytes, 5);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    expect(c, child, 1, 1, 5, 5);
    expect(c, 0, 1, 0, 10, 10);
    collector_free(c);
    close(fd);
    builder_free(&b);
}

/* Where pids are another namespace's it may live, whatever its number says. */
static void test_foreign_child_is_not_retired(void **state)
{
    (void)state;
    uint32_t child;
    int fd;
    struct collector *c = watch_dead_child(own_pid_space() + 1, &child, &fd);
    assert_int_equal(process_of(c, child)->totals.live_at_end_bytes, 0); /* not told yet */
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    expect(c, child, 1, 1, 5, 5);
    collector_free(c);
    close(fd);
    builder_free(&b);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_image_facts),
        TEST(test_forks),
        TEST(test_late_fork),
        TEST(test_fork_within_a_realloc),
        TEST(test_silent_children),
        TEST(test_threads_and_chunks),
        TEST(test_equal_times),
        TEST(test_stream_changes_hands),
        TEST(test_lost_and_samples_and_ending),
        TEST(test_exit_that_the_recorder_saw),
        TEST(test_samples_end_at_the_exec),
        TEST(test_resident_set_from_elsewhere),
        TEST(test_foreign_process),
        TEST(test_live_steps),
        TEST(test_running),
        TEST(test_dead_child_is_retired),
        TEST(test_foreign_child_is_not_retired),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
