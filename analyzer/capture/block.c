/* block.c - see block.h. */
#include "block.h"

#include <errno.h>
#include <unistd.h>
#include <zstd.h>

#define LEVEL       5   /* doc/decisions.md says why */
#define PLAIN_BYTES 128 /* below, a frame's own head would eat the gain */

uint64_t capture_checksum(uint64_t sum, const void *data, uint64_t size)
{
    const uint8_t *p = data;
    for (uint64_t i = 0; i < size; i++)
        sum = (sum ^ p[i]) * 0x100000001b3ull;
    return sum;
}

static uint64_t block_checksum(const struct capture_block *head, const void *stored)
{
    uint64_t sum =
        capture_checksum(CAPTURE_CHECKSUM_START, head, offsetof(struct capture_block, checksum));
    return capture_checksum(sum, stored, head->stored_bytes);
}

void block_output_open(struct block_output *o, int fd)
{
    *o = (struct block_output){.fd = fd};
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    o->zstd = zstd;
    if (zstd == NULL)
        o->error = ENOMEM;
    else
        ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, LEVEL);
}

void block_output_close(struct block_output *o)
{
    ZSTD_freeCCtx(o->zstd);
    bytes_free(&o->stored);
}

void block_write_plain(struct block_output *o, const void *data, size_t size)
{
    const uint8_t *p = data;
    while (size > 0 && o->error == 0) {
        ssize_t done = write(o->fd, p, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            o->error = done < 0 ? errno : ENOSPC;
            return;
        }
        p += done;
        size -= (size_t)done;
        o->offset += (size_t)done;
    }
}

/* Stores the smaller of the payload and its frame in o->stored. Returns the block's flags. */
static uint16_t pack(struct block_output *o, const struct bytes *payload)
{
    o->stored.size = 0;
    if (payload->size >= PLAIN_BYTES) {
        bytes_grow(&o->stored, ZSTD_compressBound(payload->size));
        size_t size = ZSTD_compress2(o->zstd, o->stored.data, o->stored.capacity, payload->data,
                                     payload->size);
        if (!ZSTD_isError(size) && size < payload->size) {
            o->stored.size = size;
            return BLOCK_ZSTD;
        }
    }
    bytes_append(&o->stored, payload->data, payload->size);
    return 0;
}

uint64_t block_write(struct block_output *o, enum capture_block_type type, uint32_t process,
                     const struct bytes *payload)
{
    uint64_t offset = o->offset;
    if (o->error == 0 && payload->size > CAPTURE_BLOCK_MAX)
        o->error = EFBIG;
    if (o->error != 0)
        return offset;
    struct capture_block head = {.mark = CAPTURE_BLOCK_MARK, .type = (uint16_t)type};
    head.flags = pack(o, payload);
    head.process = process;
    head.raw_bytes = (uint32_t)payload->size;
    head.stored_bytes = (uint32_t)o->stored.size;
    head.checksum = block_checksum(&head, o->stored.data);
    block_write_plain(o, &head, sizeof head);
    block_write_plain(o, o->stored.data, o->stored.size);
    return offset;
}

void block_input_open(struct block_input *in, int fd, uint64_t file_bytes)
{
    *in = (struct block_input){.fd = fd, .file_bytes = file_bytes, .zstd = ZSTD_createDCtx()};
}

void block_input_close(struct block_input *in)
{
    ZSTD_freeDCtx(in->zstd);
}

int read_at(int fd, uint64_t offset, void *data, size_t size)
{
    uint8_t *p = data;
    while (size > 0) {
        ssize_t done = pread(fd, p, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return (int)done;
        p += done;
        offset += (size_t)done;
        size -= (size_t)done;
    }
    return 1;
}

int block_fetch(struct block_input *in, uint64_t offset, struct capture_block *head,
                struct bytes *stored)
{
    if (offset > in->file_bytes || in->file_bytes - offset < sizeof *head)
        return 0;
    int rc = read_at(in->fd, offset, head, sizeof *head);
    if (rc <= 0)
        return rc;
    if (head->mark != CAPTURE_BLOCK_MARK || head->raw_bytes > CAPTURE_BLOCK_MAX ||
        head->stored_bytes > head->raw_bytes ||
        head->stored_bytes > in->file_bytes - offset - sizeof *head)
        return 0;
    stored->size = 0;
    bytes_grow(stored, head->stored_bytes);
    rc = read_at(in->fd, offset + sizeof *head, stored->data, head->stored_bytes);
    if (rc <= 0)
        return rc;
    stored->size = head->stored_bytes;
    return block_checksum(head, stored->data) == head->checksum;
}

int block_unpack(struct block_input *in, const struct capture_block *head,
                 const struct bytes *stored, struct bytes *payload)
{
    payload->size = 0;
    bytes_grow(payload, 1); /* an empty payload has an address too */
    if (!(head->flags & BLOCK_ZSTD)) {
        bytes_append(payload, stored->data, stored->size);
        return head->stored_bytes == head->raw_bytes;
    }
    /* The frame states its size too: a small file cannot make us take much memory by its head
     * alone. */
    if (in->zstd == NULL || ZSTD_getFrameContentSize(stored->data, stored->size) != head->raw_bytes)
        return 0;
    bytes_grow(payload, head->raw_bytes);
    size_t size =
        ZSTD_decompressDCtx(in->zstd, payload->data, head->raw_bytes, stored->data, stored->size);
    if (ZSTD_isError(size) || size != head->raw_bytes)
        return 0;
    payload->size = size;
    return 1;
}
