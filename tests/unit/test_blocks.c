/* test_blocks.c - which block each free takes: from the collector or the writer into a file and out
 * of it again, against what the test knows. */
#include "blocks.h"
#include "collect_fixture.h"
#include "reader.h"
#include "writer.h"
#include <sys/wait.h>

#define CLASSES 12
#define LIVE    3000
#define EVENTS  20000
#define STEP    2000000u /* ns; the collector mends the order of what is closer than 1 ms */

static uint64_t seed;
static uint32_t pick(uint32_t below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((seed >> 33) % below);
}

/* ---- from the writer, in segments ---- */

struct told {
    struct event event;
    uint64_t block; /* the truth */
    uint32_t owner; /* of a free: the thread that allocated it */
};

static struct told told[EVENTS];
static struct blocks *give_blocks(void *context, uint32_t process)
{
    (void)process;
    return context;
}

/* Frees the youngest, its neighbours, the oldest or any: of one class or of all in turn. */
static size_t choose(size_t live)
{
    uint32_t way = pick(10);
    if (way < 4)
        return live - 1;
    if (way < 6)
        return live - 1 - pick(live < 40 ? (uint32_t)live : 40);
    return way < 8 ? pick(live < 3 ? (uint32_t)live : 3) : pick((uint32_t)live);
}

static int write_told(struct event_class *classes, uint64_t segment_events)
{
    static uint32_t live[LIVE], owners[EVENTS + 1];
    struct image *image = image_new();
    struct blocks blocks = {0};
    struct writer_source source = {&blocks, give_blocks, NULL};
    int fd = memfd_create("capture", 0);
    size_t count = 0;
    image->host = image->folder = image->executable = "";
    image->stacks = arena_take(image->memory, sizeof *image->stacks);
    image->locations = arena_take(image->memory, sizeof *image->locations);
    image->stack_count = image->location_count = 1;
    image->processes = arena_take(image->memory, sizeof *image->processes);
    image->processes[0].ending.exec = "";
    image->process_count = 1;
    struct writer *w = writer_new(fd, image, &source);
    writer_limit_segment(w, segment_events);
    for (size_t i = 0; i < EVENTS; i++) {
        struct event *e = &told[i].event;
        int frees = count > 0 && (count == LIVE || pick(i % 5000 < 3000 ? 3 : 2) == 0);
        *e = (struct event){.thread = pick(2), .ns = i * 10000};
        if (frees) {
            size_t k = choose(count);
            e->class = blocks.list[live[k]].class;
            struct block_class *c = blocks_class(&blocks, e->class);
            e->kind = (enum event_kind)(EVENT_FREE + pick(4));
            e->name = blocks_name(&blocks, c, live[k]);
            told[i].block = blocks.list[live[k]].number;
            told[i].owner = owners[told[i].block];
            blocks_remove(&blocks, c, live[k]);
            for (count--; k < count; k++)
                live[k] = live[k + 1];
        } else {
            e->kind = EVENT_ALLOC;
            e->class = 1 + pick(CLASSES - 1) / (1 + pick(3));
            live[count++] = blocks_add(&blocks, e->class, blocks_class(&blocks, e->class), e->ns);
            told[i].block = blocks.allocations;
            owners[told[i].block] = e->thread;
            told[i].owner = 0;
        }
        e->bytes = classes[e->class].size;
        assert_int_equal(writer_events(w, 0, e, 1, classes, CLASSES), WRITER_OK);
    }
    assert_int_equal(writer_finish(w), WRITER_OK);
    writer_free(w);
    blocks_clear(&blocks);
    image_free(image);
    return fd;
}

static void written_in_segments(uint64_t segment_events)
{
    struct event_class classes[CLASSES] = {{0, 0}};
    struct reader *r;
    struct event e;
    seed = segment_events;
    for (uint32_t i = 1; i < CLASSES; i++)
        classes[i] = (struct event_class){0, i * 8};
    assert_int_equal(reader_open(&r, write_told(classes, segment_events)), RECORDING_OK);
    assert_int_equal(reader_seek(r, 0, 0), RECORDING_OK);
    for (size_t i = 0; i < EVENTS; i++) {
        assert_int_equal(reader_next(r, &e), 1);
        assert_true(e.kind == told[i].event.kind && e.class == told[i].event.class);
        assert_true(e.block == told[i].block && e.owner == told[i].owner);
    }
    assert_int_equal(reader_next(r, &e), 0);
    /* From the middle: what is known of a block is true, and all that was allocated since is. */
    for (uint64_t from = 0; from < EVENTS; from += EVENTS / 7) {
        assert_int_equal(reader_seek(r, 0, from * 10000), RECORDING_OK);
        size_t i = EVENTS, left = 0;
        while (reader_next(r, &e) == 1)
            left++;
        assert_true(left > 0 && left <= EVENTS);
        uint64_t before = 0; /* allocations before the place where reading began */
        for (i = 0; i < EVENTS - left; i++)
            before += told[i].event.kind == EVENT_ALLOC;
        assert_int_equal(reader_seek(r, 0, from * 10000), RECORDING_OK);
        for (; i < EVENTS; i++) {
            assert_int_equal(reader_next(r, &e), 1);
            assert_true(e.block == (told[i].block > before ? told[i].block : 0));
        }
    }
    reader_close(r);
}

static void test_segments(void **state)
{
    (void)state;
    written_in_segments(EVENTS + 1);
    written_in_segments(5000);
    written_in_segments(333);
    written_in_segments(1);
}

/* What a thread of told[0 .. count) allocated. */
static void expect_thread(const struct thread_usage *t, size_t count)
{
    uint64_t allocations = 0, bytes = 0, live = 0, blocks = 0, peak = 0, peak_ns = 0, temporary = 0;
    for (size_t i = 0; i < count; i++) {
        const struct event *e = &told[i].event;
        if (e->kind == EVENT_ALLOC && e->thread == t->serial) {
            allocations++;
            blocks++;
            bytes += e->bytes;
            live += e->bytes;
            if (live > peak) {
                peak = live;
                peak_ns = e->ns / 1000000 * 1000000; /* a capture's ticks */
            }
        } else if (e->kind != EVENT_ALLOC && told[i].owner == t->serial) {
            blocks--;
            live -= e->bytes;
            temporary += e->kind == EVENT_FREE_TEMPORARY;
        }
    }
    assert_int_equal(t->heap.allocations, allocations);
    assert_int_equal(t->heap.allocated_bytes, bytes);
    assert_int_equal(t->heap.live_at_end_bytes, live);
    assert_int_equal(t->heap.live_at_end_blocks, blocks);
    assert_int_equal(t->heap.own_peak_bytes, peak);
    assert_int_equal(t->heap.own_peak_ns, peak_ns);
    assert_int_equal(t->heap.temporary, temporary);
}

/* The summary is worked out from the events that are left, and the threads' figures with it. */
static void test_threads_of_a_cut_file(void **state)
{
    struct event_class classes[CLASSES] = {{0, 0}};
    struct reader *r;
    struct event e;
    size_t count = 0;
    (void)state;

    seed = 5;
    for (uint32_t i = 1; i < CLASSES; i++)
        classes[i] = (struct event_class){0, i * 8};
    int fd = write_told(classes, 500);
    assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) / 2), 0);
    assert_int_equal(reader_open(&r, fd), RECORDING_OK);
    const struct process *p = &reader_image(r)->processes[0];
    assert_int_equal(reader_seek(r, 0, 0), RECORDING_OK);
    while (reader_next(r, &e) == 1)
        count++;
    assert_true(count >= 500 && count < EVENTS);
    assert_int_equal(p->thread_usage_count, 2);
    for (int i = 0; i < 2; i++)
        expect_thread(&p->threads[i], count);
    reader_close(r);
}

/* A name that means nothing finds nothing. */
static void test_no_such_block(void **state)
{
    (void)state;
    struct blocks b = {0};
    blocks_follow_births(&b);
    for (int i = 0; i < 3; i++) {
        uint32_t block = blocks_add(&b, 1, blocks_class(&b, 1), 0);
        blocks_add(&b, 2, blocks_class(&b, 2), 0);
        if (i == 1)
            blocks_remove(&b, blocks_class(&b, 1), block);
    }
    for (uint32_t place = 0; place < 200; place++)
        for (uint32_t birth = 0; birth < 20; birth++) {
            uint32_t found =
                blocks_find(&b, blocks_class(&b, 1), (struct block_name){place, birth});
            assert_true(found == 0 || b.list[found].class == 1);
        }
    assert_int_equal(blocks_find(&b, blocks_class(&b, 3), (struct block_name){BLOCK_YOUNGEST, 0}),
                     0);
    blocks_clear(&b);
}

/* ---- from the collector ---- */

/* What the events must say of each allocation and each free, in their order. */
struct truth {
    uint64_t at[64]; /* number of the block at each place, 0 none */
    uint64_t allocations;
    uint64_t wanted[2000];
    size_t count;
};

static uint64_t place_of(uint32_t i)
{
    return 0x10000 + i * 64;
}

static void allocated(struct truth *t, uint32_t i)
{
    t->wanted[t->count++] = t->at[i] = ++t->allocations;
}

static void freed(struct truth *t, uint32_t i)
{
    t->wanted[t->count++] = t->at[i];
    t->at[i] = 0;
}

/* Two streams, frees from either, reallocs in place and to elsewhere, frees of nothing. */
static void random_step(struct truth *t, struct builder_stream *s, uint64_t time)
{
    uint32_t i = pick(64), to = pick(64), frame = 1 + pick(3);
    if (!t->at[i]) {
        if (pick(20) == 0) { /* unknown to us */
            builder_free_block(s, time, place_of(i));
            freed(t, i);
            return;
        }
        builder_alloc(s, time, place_of(i), 8 * pick(4), FRAMES(1, 4, frame));
        allocated(t, i);
    } else if (pick(4) == 0 && (i == to || !t->at[to])) {
        builder_plain(s, time, SPOOL_REALLOC_BEGIN, place_of(i), 0);
        builder_stacked(s, time + 1, SPOOL_REALLOC_MOVED, place_of(to), 100, FRAMES(1, frame));
        freed(t, i);
        allocated(t, to);
    } else if (pick(30) == 0) { /* its free was not seen */
        builder_alloc(s, time, place_of(i), 8, FRAMES(1, frame));
        freed(t, i);
        allocated(t, i);
    } else if (pick(2)) {
        builder_free_block(s, time, place_of(i));
        freed(t, i);
    }
}

static void test_collected(void **state)
{
    (void)state;
    static struct spool_builder b;
    static struct truth t;
    struct builder_stream *s[2];
    struct collector *c;
    struct reader *r;
    struct event e;
    size_t count = 0;
    seed = 99;
    builder_init(&b);
    s[0] = builder_stream(&b, 0, 0);
    s[1] = builder_stream(&b, 0, 1);
    for (uint32_t i = 0; i < 900; i++) {
        struct builder_stream *stream = s[i / 10 % 2];
        if (i % 50 == 49)
            builder_next_chunk(stream, STEP * i);
        random_step(&t, stream, STEP * i + 1);
    }
    int spool = builder_file(&b), capture = memfd_create("capture", 0);
    assert_int_equal(collector_open(&c, spool, capture, NULL), COLLECT_OK);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    collector_free(c);
    close(spool);
    builder_free(&b);
    assert_int_equal(reader_open(&r, capture), RECORDING_OK);
    assert_int_equal(reader_seek(r, 0, 0), RECORDING_OK);
    while (reader_next(r, &e) == 1) {
        assert_true(count < t.count);
        assert_true(e.block == t.wanted[count++]);
    }
    assert_int_equal(count, t.count);
    reader_close(r);
}

/* The table of live blocks has no room for a higher index: the analyzer ends with a sentence. */
static void test_more_blocks_than_can_be_told_apart(void **state)
{
    (void)state;
    int ends[2], status;
    char text[512] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct blocks b = {.count = BLOCKS_MAX, .capacity = BLOCKS_MAX};
        dup2(ends[1], STDERR_FILENO);
        blocks_more(&b);
        _exit(0);
    }
    close(ends[1]);
    assert_true(read(ends[0], text, sizeof text - 1) >= 0);
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_non_null(strstr(text, "more than 2147483647 blocks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_threads_of_a_cut_file),
        cmocka_unit_test(test_no_such_block),
        cmocka_unit_test(test_collected),
        cmocka_unit_test(test_more_blocks_than_can_be_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
