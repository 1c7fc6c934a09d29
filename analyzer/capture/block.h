/*
 * block.h - one block of a capture: payload to file and back, checked.
 *
 * The writing side appends at the descriptor's position and keeps the first error; the reading side
 * uses pread and hands out nothing whose checksum, sizes or zstd frame are wrong. Neither owns the
 * descriptor. Single-threaded.
 */
#ifndef MPROF_BLOCK_H
#define MPROF_BLOCK_H

#include "bytes.h"
#include "capture_format.h"

struct block_output {
    int fd;
    int error;       /* errno of the first failure, 0 none */
    uint64_t offset; /* bytes written so far */
    void *zstd;      /* compression context */
    struct bytes stored;
};

void block_output_open(struct block_output *o, int fd);
void block_output_close(struct block_output *o);

/* Writes bytes as they are (header, tail). After an error, both writers do nothing. */
void block_write_plain(struct block_output *o, const void *data, size_t size);
/* Writes a block of `payload`. Returns its offset. */
uint64_t block_write(struct block_output *o, enum capture_block_type type, uint32_t process,
                     const struct bytes *payload);

struct block_input {
    int fd;
    uint64_t file_bytes;
    void *zstd; /* decompression context */
};

void block_input_open(struct block_input *in, int fd, uint64_t file_bytes);
void block_input_close(struct block_input *in);

/* Reads and verifies the block at `offset`: its head and its stored bytes. Returns 1, 0 where no
 * whole undamaged block lies, or -1 with errno where the file could not be read. */
int block_fetch(struct block_input *in, uint64_t offset, struct capture_block *head,
                struct bytes *stored);
/* Payload of a fetched block. Returns 1, or 0 where the bytes are no frame of the stated size. */
int block_unpack(struct block_input *in, const struct capture_block *head,
                 const struct bytes *stored, struct bytes *payload);

/* Reads exactly `size` bytes at `offset`: 1, 0 where the file is shorter, -1 with errno. */
int read_at(int fd, uint64_t offset, void *data, size_t size);

#endif
