/* fuzz_files.h - records (fuzz.h) made into spools and captures, and changed so that they stay
 * such. */
#ifndef TESTS_FUZZ_FILES_H
#define TESTS_FUZZ_FILES_H

#include "fuzz.h"

#include "capture_format.h"
#include "spool.h"

#include <zstd.h>

/* ---- spools ---- */

#define SPOOL_PAGES_MAX 0x4000 /* a file of 64 MiB, of which little exists */

/* a: page, b: place in it; without bytes: the end of the file. */
FUZZ_UNUSED static int spool_of_records(const uint8_t *data, size_t size)
{
    static struct record records[RECORDS_MAX];
    size_t count = records_split(data, size, records);
    int fd = fuzz_file("", 0);

    for (size_t i = 0; i < count; i++) {
        const struct record *r = &records[i];
        uint64_t offset = (uint64_t)(r->a % SPOOL_PAGES_MAX) * SPOOL_PAGE + r->b % SPOOL_PAGE;
        if (r->size)
            fuzz_write(fd, offset, r->data, r->size);
        else if (ftruncate(fd, (off_t)offset) != 0)
            fuzz_fail("no room for the input");
    }
    return fd;
}

/* As any records; half of the time the chunks then say that all their bytes are events, and bear
 * their place. */
FUZZ_UNUSED static size_t spool_mutate(uint8_t *data, size_t size, size_t max_size, uint32_t seed)
{
    static struct record records[RECORDS_MAX];
    size = records_mutate(data, size, max_size, seed);
    if (seed & 1)
        return size;
    size_t count = records_split(data, size, records);
    for (size_t i = 0; i < count; i++) {
        const struct record *r = &records[i];
        struct spool_chunk chunk;
        if (r->size < sizeof chunk || memcmp(r->data, "CHNK", 4) != 0)
            continue;
        memcpy(&chunk, r->data, sizeof chunk);
        uint64_t events = r->size - sizeof chunk;
        uint64_t here = (uint64_t)(r->a % SPOOL_PAGES_MAX) * SPOOL_PAGE;
        chunk.offset = here;
        if ((uint32_t)chunk.commit < events || seed & 2)
            chunk.commit = (uint64_t)chunk.sequence << 32 | events;
        memcpy((void *)(uintptr_t)r->data, &chunk, sizeof chunk);
    }
    return size;
}

/* ---- captures ---- */

/* Labels of a record. a: the block's type, and these; b: its process. */
#define CAPTURE_RECORD_PLAIN 0x8000 /* the bytes as they are, no block */
#define CAPTURE_RECORD_ZSTD  0x4000
#define CAPTURE_RECORD_TYPE  0x00ff

struct capture_maker {
    int fd;
    uint64_t offset;
    uint64_t index_offset, processes_offset;
};

static void maker_put(struct capture_maker *m, const void *data, size_t size)
{
    fuzz_write(m->fd, m->offset, data, size);
    m->offset += size;
}

static void maker_block(struct capture_maker *m, const struct record *r)
{
    static uint8_t packed[ZSTD_COMPRESSBOUND(1 << 16)];
    const void *stored = r->data;
    struct capture_block head = {.mark = CAPTURE_BLOCK_MARK,
                                 .type = r->a & CAPTURE_RECORD_TYPE,
                                 .process = r->b,
                                 .raw_bytes = r->size,
                                 .stored_bytes = r->size};
    if (r->a & CAPTURE_RECORD_ZSTD) {
        size_t size = ZSTD_compress(packed, sizeof packed, r->data, r->size, 1);
        if (!ZSTD_isError(size) && size < r->size) {
            head.flags = BLOCK_ZSTD;
            head.stored_bytes = (uint32_t)size;
            stored = packed;
        }
    }
    head.checksum = capture_checksum(
        capture_checksum(CAPTURE_CHECKSUM_START, &head, offsetof(struct capture_block, checksum)),
        stored, head.stored_bytes);
    if (head.type == BLOCK_INDEX)
        m->index_offset = m->offset;
    if (head.type == BLOCK_PROCESSES)
        m->processes_offset = m->offset;
    maker_put(m, &head, sizeof head);
    maker_put(m, stored, head.stored_bytes);
}

static size_t put_number(uint8_t *to, uint64_t value)
{
    size_t n = 0;
    for (; value > 127; value >>= 7)
        to[n++] = (uint8_t)(value | 128);
    to[n++] = (uint8_t)value;
    return n;
}

static uint64_t number_at(const struct record *r, int which)
{
    size_t at = 0;
    uint64_t value = 0;
    for (int i = 0; i <= which; i++) {
        value = 0;
        for (unsigned shift = 0; at < r->size; shift += 7) {
            uint8_t byte = r->data[at++];
            value |= shift < 64 ? (uint64_t)(byte & 127) << shift : 0;
            if (!(byte & 128))
                break;
        }
    }
    return value;
}

/* An index of the blocks as they have come to lie. */
static void maker_index(struct capture_maker *m, const struct record *records, size_t count)
{
    static uint8_t payload[RECORDS_MAX * 64];
    static uint64_t offsets[RECORDS_MAX];
    size_t at = 0, blocks = 0;
    uint64_t offset = sizeof(struct capture_header), before = 0;

    for (size_t i = 0; i < count; i++) {
        struct capture_block head = {0};
        if (records[i].a & CAPTURE_RECORD_PLAIN)
            continue;
        if (pread(m->fd, &head, sizeof head, (off_t)offset) != sizeof head)
            return;
        offsets[blocks++] = offset;
        offset += sizeof head + head.stored_bytes;
    }
    payload[at++] = 0;
    at += put_number(payload + at, blocks);
    for (int column = 0; column < 6; column++)
        for (size_t i = 0, block = 0; i < count; i++) {
            const struct record *r = &records[i];
            int events = (r->a & CAPTURE_RECORD_TYPE) == BLOCK_EVENTS;
            if (r->a & CAPTURE_RECORD_PLAIN)
                continue;
            uint64_t value = column == 0   ? r->a & CAPTURE_RECORD_TYPE
                             : column == 1 ? r->b
                             : column == 2 ? (offsets[block] - before) << 1
                             : events      ? number_at(r, column - 3)
                                           : 0;
            if (column == 2)
                before = offsets[block];
            block++;
            at += put_number(payload + at, value);
        }
    maker_block(m, &(struct record){BLOCK_INDEX, 0, (uint16_t)at, payload});
}

/* The first record is the header, of any length; its checksum is made right, as is everything that
 * counts or checks. Without an index of its own the file gets one; bit 0 of the header's b: the
 * file ends without tail; bit 1: not even the index. */
FUZZ_UNUSED static int capture_of_records(const uint8_t *data, size_t size)
{
    static struct record records[RECORDS_MAX];
    struct capture_header header = {.magic = CAPTURE_MAGIC,
                                    .version = CAPTURE_VERSION,
                                    .features = CAPTURE_BLOCKS,
                                    .tick_ns = CAPTURE_TICK_NS};
    struct capture_maker m = {.fd = fuzz_file("", 0)};
    size_t count = records_split(data, size, records);

    if (count && records[0].size)
        memcpy(&header, records[0].data,
               records[0].size < sizeof header ? records[0].size : sizeof header);
    header.checksum = capture_checksum(CAPTURE_CHECKSUM_START, &header,
                                       offsetof(struct capture_header, checksum));
    maker_put(&m, &header, sizeof header);
    for (size_t i = 1; i < count; i++)
        if (records[i].a & CAPTURE_RECORD_PLAIN)
            maker_put(&m, records[i].data, records[i].size);
        else
            maker_block(&m, &records[i]);
    unsigned ends = count ? records[0].b : 3;
    if (!m.index_offset && !(ends & 2) && count)
        maker_index(&m, records + 1, count - 1);
    if (!(ends & 1)) {
        struct capture_tail tail = {.magic = CAPTURE_TAIL_MAGIC,
                                    .index_offset = m.index_offset,
                                    .processes_offset = m.processes_offset,
                                    .file_bytes = m.offset + sizeof tail};
        tail.checksum = capture_checksum(CAPTURE_CHECKSUM_START, &tail,
                                         offsetof(struct capture_tail, checksum));
        maker_put(&m, &tail, sizeof tail);
    }
    return m.fd;
}

#endif
