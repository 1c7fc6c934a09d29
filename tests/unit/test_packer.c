/* test_packer.c - blocks in order, whoever writes them, and what becomes of errors. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "block.h"
#include "packer.h"

#define SMALL 300u
#define LARGE (200u << 10) /* for the packer's thread */

static void fill(struct bytes *payload, size_t size, uint8_t seed)
{
    payload->size = 0;
    bytes_grow(payload, size);
    for (size_t i = 0; i < size; i++)
        payload->data[i] = (uint8_t)(seed + i / 7);
    payload->size = size;
}

static void expect_block(int fd, uint64_t offset, uint32_t process, size_t size, uint8_t seed)
{
    struct block_input in;
    struct capture_block head;
    struct bytes stored = {0}, payload = {0}, want = {0};

    block_input_open(&in, fd, (uint64_t)lseek(fd, 0, SEEK_END));
    assert_int_equal(block_fetch(&in, offset, &head, &stored), 1);
    assert_int_equal(block_unpack(&in, &head, &stored, &payload), 1);
    assert_int_equal(head.process, process);
    fill(&want, size, seed);
    assert_int_equal(payload.size, size);
    assert_memory_equal(payload.data, want.data, size);
    block_input_close(&in);
    bytes_free(&stored);
    bytes_free(&payload);
    bytes_free(&want);
}

static size_t size_of(int i, int first_large)
{
    return i >= first_large && i % 3 != 1 ? LARGE : SMALL + (size_t)i;
}

/* More blocks than may wait; those from `first_large` on are large, but each third. */
static void put_and_expect(int count, int first_large)
{
    int fd = memfd_create("packer", 0);
    struct packer *p = packer_new(fd);
    struct bytes payload = {0};

    packer_put_plain(p, "head", 4);
    for (int i = 0; i < count; i++) {
        fill(&payload, size_of(i, first_large), (uint8_t)i);
        packer_put(p, BLOCK_EVENTS, (uint32_t)i, &payload);
        assert_int_equal(payload.size, 0);
    }
    const uint64_t *offsets = packer_offsets(p);
    assert_int_equal(offsets[0], 4);
    for (int i = 0; i < count; i++) {
        assert_true(i == 0 || offsets[i] > offsets[i - 1]);
        expect_block(fd, offsets[i], (uint32_t)i, size_of(i, first_large), (uint8_t)i);
    }
    uint64_t end = packer_position(p);
    packer_put_plain(p, "tail", 4);
    assert_int_equal(packer_position(p), end + 4);
    assert_int_equal(lseek(fd, 0, SEEK_END), end + 4);
    assert_int_equal(packer_error(p), 0);
    packer_free(p);
    bytes_free(&payload);
    close(fd);
}

static void small_blocks_come_in_order(void **state)
{
    (void)state;
    put_and_expect(20, 20);
}

static void large_blocks_come_in_order(void **state)
{
    (void)state;
    put_and_expect(60, 0);
    put_and_expect(60, 10);
}

/* What waits is written before the packer goes. */
static void nothing_is_left_behind(void **state)
{
    (void)state;
    int fd = memfd_create("packer", 0);
    struct packer *p = packer_new(fd);
    struct bytes payload = {0};

    for (int i = 0; i < 5; i++) {
        fill(&payload, LARGE, (uint8_t)i);
        packer_put(p, BLOCK_EVENTS, (uint32_t)i, &payload);
    }
    packer_free(p);
    uint64_t offset = 0;
    for (int i = 0; i < 5; i++) {
        struct capture_block head;
        assert_int_equal(read_at(fd, offset, &head, sizeof head), 1);
        expect_block(fd, offset, (uint32_t)i, LARGE, (uint8_t)i);
        offset += sizeof head + head.stored_bytes;
    }
    assert_int_equal(lseek(fd, 0, SEEK_END), offset);
    bytes_free(&payload);
    close(fd);
}

/* The first error stays, and nobody waits for ever. */
static void an_error_is_kept(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    struct packer *p = packer_new(fd);
    struct bytes payload = {0};

    fill(&payload, SMALL, 1);
    packer_put(p, BLOCK_EVENTS, 0, &payload);
    assert_int_equal(packer_error(p), ENOSPC);
    for (int i = 0; i < 20; i++) {
        fill(&payload, LARGE, 2);
        packer_put(p, BLOCK_EVENTS, 0, &payload);
    }
    packer_settle(p);
    assert_int_equal(packer_error(p), ENOSPC);
    packer_free(p);
    close(fd);

    fd = open("/dev/full", O_WRONLY);
    p = packer_new(fd);
    fill(&payload, LARGE, 3);
    packer_put(p, BLOCK_EVENTS, 0, &payload);
    packer_settle(p);
    assert_int_equal(packer_error(p), ENOSPC);
    packer_free(p);
    packer_free(NULL);
    bytes_free(&payload);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_blocks_come_in_order),
        cmocka_unit_test(large_blocks_come_in_order),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(an_error_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
