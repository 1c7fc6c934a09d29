/* test_reader_damaged.c - captures that are damaged, crafted, foreign, or could not be written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "block.h"
#include "capture_read.h"

/* Any damage at all: never a crash; and what is read of events is right, or an error. */
static void test_damaged_bytes(void **state)
{
    (void)state;
    struct fixture f = fixture_new(11, 6, 300, 2);
    int fd = fixture_file(&f, 100);
    off_t size = file_bytes(fd);
    for (int round = 0; round < 1500; round++) {
        int copy = copy_of(fd, size);
        for (uint64_t hits = 1 + fixture_random(3); hits > 0; hits--) {
            uint8_t byte = (uint8_t)fixture_random(256);
            assert_int_equal(pwrite(copy, &byte, 1, (off_t)fixture_random((uint64_t)size)), 1);
        }
        struct reader *r;
        int rc = reader_open(&r, copy);
        if (rc != RECORDING_OK) {
            assert_true(rc == RECORDING_FOREIGN || rc == RECORDING_TOO_NEW ||
                        rc == RECORDING_DAMAGED);
            continue;
        }
        if (reader_seek(r, 0, 0) == RECORDING_OK)
            expect_events(r, &f, 0, 0);
        reader_close(r);
    }
    close(fd);
    fixture_free(&f);
}

/* Sizes that lie, with a checksum that agrees: refused without taking the memory. */
static void test_lying_sizes(void **state)
{
    (void)state;
    struct fixture f = fixture_new(12, 6, 100, 1);
    int fd = fixture_file(&f, 1000);
    struct capture_block head;
    uint8_t stored[8192];
    off_t at = sizeof(struct capture_header);
    assert_int_equal(pread(fd, &head, sizeof head, at), sizeof head);
    assert_true(head.mark == CAPTURE_BLOCK_MARK && head.stored_bytes <= sizeof stored);
    assert_int_equal(pread(fd, stored, head.stored_bytes, at + (off_t)sizeof head),
                     head.stored_bytes);
    const uint32_t sizes[] = {0, 1, CAPTURE_BLOCK_MAX, CAPTURE_BLOCK_MAX + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int copy = copy_of(fd, file_bytes(fd));
        head.raw_bytes = sizes[i];
        head.checksum = capture_checksum(CAPTURE_CHECKSUM_START, &head,
                                         offsetof(struct capture_block, checksum));
        head.checksum = capture_checksum(head.checksum, stored, head.stored_bytes);
        assert_int_equal(pwrite(copy, &head, sizeof head, at), sizeof head);
        struct reader *r;
        assert_int_equal(reader_open(&r, copy), RECORDING_OK);
        assert_true(reader_image(r)->cut);
        assert_int_equal(count_events(r, 0), 0);
        reader_close(r);
    }
    close(fd);
    fixture_free(&f);
}

/* A copy of all blocks whose payloads were changed at random and whose checksums are right again:
 * made by malice, not by accident. */
static int crafted_copy(int fd, off_t size)
{
    struct block_input in;
    struct capture_block head;
    struct bytes stored = {0}, payload = {0};
    int copy = copy_of(fd, sizeof(struct capture_header));
    block_input_open(&in, fd, (uint64_t)size);
    for (uint64_t at = sizeof(struct capture_header);
         block_fetch(&in, at, &head, &stored) == 1 && head.type != BLOCK_INDEX;) {
        at += sizeof head + head.stored_bytes;
        assert_int_equal(block_unpack(&in, &head, &stored, &payload), 1);
        if (head.type == BLOCK_SUMMARY && fixture_random(2))
            continue; /* so that it is made out of what the others say */
        for (uint64_t hits = fixture_random(9) == 0 ? 1 + fixture_random(3) : 0; hits > 0; hits--)
            payload.data[fixture_random(payload.size)] ^= (uint8_t)(1u << fixture_random(8));
        head.flags = 0;
        head.stored_bytes = head.raw_bytes;
        head.checksum = capture_checksum(CAPTURE_CHECKSUM_START, &head,
                                         offsetof(struct capture_block, checksum));
        head.checksum = capture_checksum(head.checksum, payload.data, payload.size);
        assert_int_equal(write(copy, &head, sizeof head), sizeof head);
        assert_int_equal(write(copy, payload.data, payload.size), payload.size);
    }
    bytes_free(&stored);
    bytes_free(&payload);
    block_input_close(&in);
    return copy;
}

static void test_crafted_blocks(void **state)
{
    (void)state;
    struct fixture f = fixture_new(16, 12, 600, 2);
    int fd = fixture_file(&f, 150);
    for (int round = 0; round < 1500; round++) {
        struct reader *r;
        if (reader_open(&r, crafted_copy(fd, file_bytes(fd))) != RECORDING_OK)
            continue;
        assert_true(reader_image(r)->cut);
        for (uint32_t process = 0; process < reader_image(r)->process_count; process++)
            count_events(r, process);
        reader_close(r);
    }
    close(fd);
    fixture_free(&f);
}

static int with_header(const struct fixture *f, void (*change)(struct capture_header *h))
{
    int fd = fixture_file(f, 1000);
    struct capture_header h;
    assert_int_equal(pread(fd, &h, sizeof h, 0), sizeof h);
    change(&h);
    h.checksum =
        capture_checksum(CAPTURE_CHECKSUM_START, &h, offsetof(struct capture_header, checksum));
    assert_int_equal(pwrite(fd, &h, sizeof h, 0), sizeof h);
    return fd;
}

static void newer_version(struct capture_header *h)
{
    h->version = CAPTURE_VERSION + 1;
}
static void unknown_feature(struct capture_header *h)
{
    h->features = 1u << 31;
}
static void no_tick(struct capture_header *h)
{
    h->tick_ns = 0;
}

static void test_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_new(13, 6, 100, 1);
    struct reader *r;
    assert_int_equal(reader_open(&r, with_header(&f, newer_version)), RECORDING_TOO_NEW);
    assert_null(r);
    assert_int_equal(reader_open(&r, with_header(&f, unknown_feature)), RECORDING_TOO_NEW);
    assert_int_equal(reader_open(&r, with_header(&f, no_tick)), RECORDING_DAMAGED);
    assert_int_equal(reader_open(&r, memfd_create("empty", 0)), RECORDING_EMPTY);
    const char *foreign[] = {"x", "CMDLINE ls\nMEM 1.0 2.0\n",
                             "\x7f"
                             "ELF"};
    for (int i = 0; i < 3; i++) {
        int fd = memfd_create("foreign", 0);
        for (int k = 0; k < 50; k++)
            assert_true(write(fd, foreign[i], strlen(foreign[i])) > 0);
        assert_int_equal(reader_open(&r, fd), RECORDING_FOREIGN);
    }
    fixture_free(&f);
}

/* A disk that is full is said, and said again. */
static void test_write_error(void **state)
{
    (void)state;
    struct fixture f = fixture_new(15, 6, 300, 1);
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(fixture_write(&f, fileno(full), 50), WRITER_FAILED);
    fclose(full);
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged_bytes),  cmocka_unit_test(test_lying_sizes),
        cmocka_unit_test(test_crafted_blocks), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_write_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
