/* test_spool_file.c - spools that are cut, zeroed or damaged: what can be read is used, nothing
 * crashes (run it under ASan and UBSan, too). */
#include "collect_fixture.h"

#include "spool_file.h"

enum { MAIN = 1, WORK = 2, OTHER = 3 };

/* Two threads, a child, reallocs, ranges, several chunks; small enough to be cut at every byte. */
static uint8_t *make_spool(size_t *size, uint64_t *events)
{
    static struct spool_builder b;
    builder_init(&b);
    struct builder_stream *s = builder_stream(&b, 0, 0), *t = builder_stream(&b, 0, 1);
    for (uint32_t i = 0; i < 40; i++) {
        builder_alloc(i % 2 ? s : t, 10 * i, 0x10000 + i * 32, i, FRAMES(MAIN, WORK, OTHER));
        if (i % 4 == 3)
            builder_free_block(s, 10 * i + 5, 0x10000 + i * 32 - 32);
        if (i == 20)
            builder_next_chunk(s, 10 * i + 6);
    }
    uint32_t child = builder_fork(&b, 0, 500, 0);
    builder_plain(s, 500, SPOOL_FORK, child, 0);
    struct builder_stream *u = builder_stream(&b, child, 0);
    builder_free_block(u, 510, 0x10000);
    builder_plain(t, 520, SPOOL_REALLOC_BEGIN, 0x10000, 0);
    builder_stacked(t, 530, SPOOL_REALLOC_MOVED, 0x90000, 500, FRAMES(MAIN));
    builder_stacked(u, 540, SPOOL_RANGE_MAP, 0x7000000, 100000, FRAMES(MAIN, WORK));
    builder_plain(u, 550, SPOOL_RANGE_BEGIN, 0x7001000, 4096);
    builder_plain(u, 560, SPOOL_RANGE_DROPPED, 0, 0);
    struct spool_event e = {.kind = SPOOL_EXEC, .size = 5, .payload = (const uint8_t *)"/a/bc"};
    builder_event(u, 570, e, NULL);
    *events = 40 + 1;
    uint8_t *bytes = builder_bytes(&b, size);
    builder_free(&b);
    return bytes;
}

/* Collects; returns collector_open's error, or the allocations of all processes. */
static int64_t collect_bytes(const uint8_t *bytes, size_t size, int *cut)
{
    struct collector *c;
    int fd = builder_fd(bytes, size);
    int error = collector_open(&c, fd, -1, NULL);
    int64_t allocations = 0;

    if (error == COLLECT_OK) {
        assert_int_equal(collector_finish(c, 0), COLLECT_OK);
        const struct image *image = collector_image(c);
        check_sums(image);
        for (size_t i = 0; i < image->process_count; i++)
            allocations += (int64_t)image->processes[i].totals.allocations;
        *cut = image->cut;
        collector_free(c);
    }
    close(fd);
    return error ? error : allocations;
}

static void test_errors(void **state)
{
    (void)state;
    size_t size;
    uint64_t events;
    int cut;
    uint8_t *bytes = make_spool(&size, &events);
    struct spool_header *h = (struct spool_header *)bytes;
    assert_int_equal(collect_bytes(bytes, size, &cut), events);
    assert_int_equal(cut, 0);
    assert_int_equal(collect_bytes(bytes, 0, &cut), COLLECT_EMPTY);
    assert_int_equal(collect_bytes(bytes, 4, &cut), COLLECT_NOT_A_SPOOL);
    assert_int_equal(collect_bytes(bytes, 100, &cut), COLLECT_DAMAGED);
    h->version++;
    assert_int_equal(collect_bytes(bytes, size, &cut), COLLECT_TOO_NEW);
    h->version--;
    h->features = 1u << 20;
    assert_int_equal(collect_bytes(bytes, size, &cut), COLLECT_TOO_NEW);
    h->features = 0;
    h->magic++;
    assert_int_equal(collect_bytes(bytes, size, &cut), COLLECT_NOT_A_SPOOL);
    memset(bytes, 0, size);
    assert_int_equal(collect_bytes(bytes, size, &cut), COLLECT_NOT_A_SPOOL);
    free(bytes);
    assert_int_equal(collector_open(&(struct collector *){NULL}, -1, -1, NULL), COLLECT_IO);
}

/* More of the file never means fewer events, and every cut is noticed until nothing is missing. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    size_t size;
    uint64_t events;
    int64_t before = 0;
    uint8_t *bytes = make_spool(&size, &events);

    for (size_t at = sizeof(struct spool_header); at < size; at++) {
        int cut = 0;
        /* In the padding of a page there is nothing to be learnt from each byte. */
        if (bytes[at - 1] == 0 && bytes[at] == 0 && at % 97)
            continue;
        int64_t got = collect_bytes(bytes, at, &cut);
        assert_true(got >= before);
        assert_true(cut);
        before = got;
    }
    assert_int_equal(before, events);
    free(bytes);
}

static void test_zeroed_pages(void **state)
{
    (void)state;
    size_t size;
    uint64_t events;
    int cut;

    for (size_t page = 1; page < 64; page++) {
        uint8_t *bytes = make_spool(&size, &events);
        if (page * SPOOL_PAGE < size)
            memset(bytes + page * SPOOL_PAGE, 0, SPOOL_PAGE);
        int64_t got = collect_bytes(bytes, size, &cut);
        if (page * SPOOL_PAGE < BUILDER_CHUNKS_AT)
            assert_int_equal(got, events); /* control and tables are not needed for counting */
        else
            assert_true(got >= 0 && got <= (int64_t)events);
        free(bytes);
    }
}

/* Seeded, bounded: some bytes anywhere, in the headers, or in the events. */
static void test_random_damage(void **state)
{
    (void)state;
    size_t size;
    uint64_t events;
    uint8_t *good = make_spool(&size, &events), *bytes = malloc(size);

    srand(20261122);
    for (int round = 0; round < 3000; round++) {
        int cut;
        memcpy(bytes, good, size);
        for (int hits = 1 + rand() % 20; hits > 0; hits--) {
            size_t at = (size_t)rand() % size;
            if (round % 3 == 1) /* a header, table or chunk head */
                at = at / SPOOL_PAGE * SPOOL_PAGE + (size_t)rand() % 512;
            if (round % 3 == 2) /* events */
                at = BUILDER_CHUNKS_AT + (size_t)rand() % (size - BUILDER_CHUNKS_AT);
            bytes[at % size] = (uint8_t)(rand() % 4 ? rand() : rand() % 2 ? 0xff : 0x80);
        }
        collect_bytes(bytes, size, &cut);
    }
    free(bytes);
    free(good);
}

/* A sparse file far longer than what was claimed, its control page gone: holes cost nothing. */
static void test_sparse_file_without_control(void **state)
{
    (void)state;
    size_t size;
    uint64_t events;
    uint8_t *bytes = make_spool(&size, &events);
    struct collector *c;

    memset(bytes + SPOOL_PAGE, 0, SPOOL_PAGE);
    int fd = builder_fd(bytes, size);
    assert_int_equal(ftruncate(fd, 1ll << 38), 0);
    assert_int_equal(collector_open(&c, fd, -1, NULL), COLLECT_OK);
    assert_int_equal(collector_finish(c, 0), COLLECT_OK);
    assert_int_equal(process_of(c, 0)->totals.allocations, events);
    collector_free(c);
    close(fd);
    free(bytes);
}

static void test_residue_is_not_read(void **state)
{
    (void)state;
    struct spool_builder b;
    builder_init(&b);
    struct builder_stream *s = builder_stream(&b, 0, 0);
    builder_alloc(s, 10, 0x1000, 10, FRAMES(MAIN));
    s->chunk->header.commit += 1ull << 32; /* the commit of another use */
    struct collector *c = collect(&b);
    assert_int_equal(process_of(c, 0)->totals.allocations, 0);
    collector_free(c);
}

/* ---- a file that fills in any order ---- */

enum { GROWING_STREAMS = 3, GROWING_CHUNKS = 15, GROWING_BLOCKS = 8 /* of each chunk */ };

/* Chunks of one page and of four, of three streams in turn. */
static void build_growing(struct spool_builder *b)
{
    struct builder_stream *s[GROWING_STREAMS];

    builder_init(b);
    for (uint32_t i = 0; i < GROWING_CHUNKS; i++) {
        b->chunk_bytes = i % 4 == 1 ? 4 * SPOOL_CHUNK_MIN : SPOOL_CHUNK_MIN;
        struct builder_stream **t = &s[i % GROWING_STREAMS];
        if (i < GROWING_STREAMS)
            *t = builder_stream(b, 0, i);
        else
            builder_next_chunk(*t, 100 * i);
        for (uint32_t k = 0; k < GROWING_BLOCKS; k++)
            builder_alloc(*t, 100 * i + k, 0x10000 + (i * 100 + k) * 32, 10, FRAMES(MAIN));
    }
}

/* What a collector sees of it while it grows: chunks are claimed in order of place; a claimed one
 * is a hole of the file, has pages, or is there as a whole. It reads `carved` first: what it sees
 * behind that was claimed a moment later. */
enum { LATER = 3 };
struct growing {
    int fd;
    size_t claimed; /* as `carved` says */
    int shown[GROWING_CHUNKS];
};

static void claim(struct growing *g, const struct spool_builder *b)
{
    const struct spool_chunk *c = &b->chunks[g->claimed++].header;
    uint64_t carved = c->offset + c->bytes;
    assert_int_equal(
        pwrite(g->fd, &carved, sizeof carved, SPOOL_PAGE + offsetof(struct spool_control, carved)),
        sizeof carved);
}

static void fill(struct growing *g, const struct spool_builder *b, size_t i, int whole)
{
    static const uint8_t nothing[4 * SPOOL_CHUNK_MIN];
    struct spool_chunk header = b->chunks[i].header;

    assert_true(pwrite(g->fd, nothing, header.bytes, (off_t)header.offset) > 0);
    if (!whole)
        return;
    assert_true(pwrite(g->fd, b->chunks[i].events, b->chunks[i].used,
                       (off_t)(header.offset + sizeof header)) > 0);
    assert_true(pwrite(g->fd, &header, sizeof header, (off_t)header.offset) > 0);
    g->shown[i] = 1;
}

/* A stream shows its chunks in turn; the streams come in any order. */
static void grow(struct growing *g, const struct spool_builder *b)
{
    size_t i = (size_t)rand() % GROWING_CHUNKS;

    if (rand() % 3 == 0 && g->claimed < GROWING_CHUNKS)
        claim(g, b);
    else if (i < g->claimed + LATER && !g->shown[i] &&
             (i < GROWING_STREAMS || g->shown[i - GROWING_STREAMS]))
        fill(g, b, i, rand() % 2);
}

static struct growing begin_growing(const uint8_t *bytes, size_t size)
{
    struct growing g = {.fd = builder_fd(bytes, BUILDER_CHUNKS_AT)};
    uint64_t carved = BUILDER_CHUNKS_AT;

    assert_int_equal(ftruncate(g.fd, (off_t)size + (1 << 20)), 0);
    assert_int_equal(
        pwrite(g.fd, &carved, sizeof carved, SPOOL_PAGE + offsetof(struct spool_control, carved)),
        sizeof carved);
    return g;
}

static void finish_growing(struct growing *g, const struct spool_builder *b)
{
    while (g->claimed < GROWING_CHUNKS)
        claim(g, b);
    for (size_t i = 0; i < GROWING_CHUNKS; i++)
        if (!g->shown[i])
            fill(g, b, i, 1);
}

static void test_chunks_in_any_order(void **state)
{
    (void)state;
    struct spool_builder b;
    size_t size;

    build_growing(&b);
    uint8_t *bytes = builder_bytes(&b, &size);
    srand(20261129);
    for (int round = 0; round < 400; round++) {
        struct growing g = begin_growing(bytes, size);
        struct collector *c;
        assert_int_equal(collector_open(&c, g.fd, -1, NULL), COLLECT_OK);
        for (int i = 0; i < 60; i++) {
            grow(&g, &b);
            if (rand() % 2)
                assert_true(collector_step(c) >= 0);
        }
        finish_growing(&g, &b);
        assert_int_equal(collector_finish(c, 0), COLLECT_OK);
        assert_int_equal(collector_image(c)->cut, 0);
        assert_int_equal(process_of(c, 0)->totals.allocations, GROWING_CHUNKS * GROWING_BLOCKS);
        collector_free(c);
        close(g.fd);
    }
    free(bytes);
    builder_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_zeroed_pages),
        cmocka_unit_test(test_random_damage),
        cmocka_unit_test(test_sparse_file_without_control),
        cmocka_unit_test(test_residue_is_not_read),
        cmocka_unit_test(test_chunks_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
