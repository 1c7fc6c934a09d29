/*
 * spool_builder.h - spools made by hand, for tests: facts and events go in, a file comes out.
 *
 *   struct spool_builder b;
 *   builder_init(&b);
 *   struct builder_stream *s = builder_stream(&b, 0, 0);       process 0, thread 0
 *   builder_alloc(s, 10, 0x1000, 64, 2, (uint32_t[]){MAIN, WORK});
 *   int fd = builder_file(&b);                                 the caller closes it
 *
 * The clock counts nanoseconds and starts at BUILDER_START; times given here are since the start.
 * Pcs are 1 .. BUILDER_PCS, in no module, pc i being the address 0x1000 * i: so each is a function
 * of its own, named "0x1000" and so on. A stack is written whole, as (pop all, push all), or by
 * builder_event as the test wishes. Streams and chunks have room for small tests only (asserted).
 */
#ifndef MPROF_SPOOL_BUILDER_H
#define MPROF_SPOOL_BUILDER_H

#include "spool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BUILDER_START     1000000u
#define BUILDER_PCS       64
#define BUILDER_PROCESSES 8
#define BUILDER_MODULES   4
#define BUILDER_CHUNKS    64
#define BUILDER_STREAMS   16
#define BUILDER_UNUSED    __attribute__((unused))

#define BUILDER_INFO_AT      (2 * SPOOL_PAGE)
#define BUILDER_PROCESSES_AT (3 * SPOOL_PAGE)
#define BUILDER_MODULES_AT   (4 * SPOOL_PAGE)
#define BUILDER_PCS_AT       (5 * SPOOL_PAGE)
#define BUILDER_CHUNKS_AT    (6 * SPOOL_PAGE)

struct builder_chunk {
    struct spool_chunk header;
    uint8_t *events;
    size_t used;
};

struct spool_builder;

struct builder_stream {
    struct spool_builder *builder;
    struct builder_chunk *chunk;
    uint32_t process, id, next_index, thread, depth;
    struct spool_delta delta;
};

struct spool_builder {
    struct spool_header header;
    struct spool_control control;
    struct spool_process processes[BUILDER_PROCESSES];
    struct spool_module modules[BUILDER_MODULES];
    struct spool_pc pcs[BUILDER_PCS + 1];
    struct builder_chunk chunks[BUILDER_CHUNKS];
    size_t chunk_count;
    size_t chunk_bytes; /* of each chunk that is opened from here on */
    struct builder_stream streams[BUILDER_STREAMS];
    size_t stream_count;
    uint64_t high_water[BUILDER_PROCESSES];
    char info[256];
};

BUILDER_UNUSED static void builder_init(struct spool_builder *b)
{
    static const char command[] = "victim\0--flag\0two words";
    memset(b, 0, sizeof *b);
    b->chunk_bytes = SPOOL_CHUNK_MIN;
    memcpy(b->info, command, sizeof command);
    struct spool_header *h = &b->header;
    h->magic = SPOOL_MAGIC;
    h->version = SPOOL_VERSION;
    memcpy(h->id, "0123456789abcdef", sizeof h->id);
    h->pid = 4000000; /* no process has that */
    h->start.ticks = h->start.ns = BUILDER_START;
    h->clock = SPOOL_CLOCK_NS;
    h->machine = 62;
    h->cap = 1u << 30;
    h->info_offset = BUILDER_INFO_AT;
    h->info_bytes = sizeof b->info;
    h->command = (struct spool_string){0, sizeof command};
    h->processes =
        (struct spool_table){BUILDER_PROCESSES_AT, sizeof *b->processes, BUILDER_PROCESSES};
    h->modules = (struct spool_table){BUILDER_MODULES_AT, sizeof *b->modules, BUILDER_MODULES};
    h->pcs = (struct spool_table){BUILDER_PCS_AT, sizeof *b->pcs, BUILDER_PCS + 1};
    h->chunks_offset = b->control.carved = BUILDER_CHUNKS_AT;
    b->control.process_count = 1;
    b->control.pc_count = BUILDER_PCS;
    b->processes[0] = (struct spool_process){.state = 1, .pid = h->pid};
    for (uint32_t i = 1; i <= BUILDER_PCS; i++)
        b->pcs[i] = (struct spool_pc){.pc = 0x1000u * i, .flags = SPOOL_PC_VALID};
}

/* A forked process; its serial. */
BUILDER_UNUSED static uint32_t builder_fork(struct spool_builder *b, uint32_t parent, uint64_t time,
                                            uint32_t flags)
{
    uint32_t serial = b->control.process_count++;
    assert(serial < BUILDER_PROCESSES);
    b->processes[serial] = (struct spool_process){.state = 1,
                                                  .flags = flags,
                                                  .parent = parent,
                                                  .pid = b->header.pid + (int32_t)serial,
                                                  .parent_pid = b->header.pid,
                                                  .fork_ticks = BUILDER_START + time};
    return serial;
}

/* The chunk before, if any, is closed. */
BUILDER_UNUSED static void builder_open_chunk(struct builder_stream *s, uint64_t time)
{
    struct spool_builder *b = s->builder;
    assert(b->chunk_count < BUILDER_CHUNKS);
    if (s->chunk)
        s->chunk->header.closed = 1;
    s->chunk = &b->chunks[b->chunk_count++];
    s->chunk->events = calloc(1, b->chunk_bytes);
    struct spool_chunk *c = &s->chunk->header;
    c->mark = SPOOL_CHUNK_MARK;
    c->sequence = 7;
    c->offset = b->control.carved;
    memcpy(c->id8, b->header.id, sizeof c->id8);
    c->bytes = b->chunk_bytes;
    c->process = s->process;
    c->stream = s->id;
    c->index = s->next_index++;
    c->opened.ticks = c->opened.ns = BUILDER_START + time;
    b->control.carved += c->bytes;
    s->delta = (struct spool_delta){c->opened.ticks, 0};
    s->depth = 0;
}

/* Encodes the event at `time`; frames: e.push pc ids. */
BUILDER_UNUSED static void builder_event(struct builder_stream *s, uint64_t time,
                                         struct spool_event e, const uint32_t *frames)
{
    uint8_t *at = s->chunk->events + s->chunk->used;
    size_t room = s->chunk->header.bytes - sizeof(struct spool_chunk) - s->chunk->used;
    assert(room > SPOOL_HEAD_MAX + e.push * SPOOL_FRAME_MAX + (e.payload ? e.size : 0));
    e.ticks = BUILDER_START + time;
    at += spool_encode(at, &s->delta, &e);
    for (uint32_t i = 0; i < e.push; i++)
        at += spool_encode_frame(at, frames[i], 0xabc000 + i);
    if (e.payload) {
        memcpy(at, e.payload, e.size);
        at += e.size;
    }
    s->chunk->used = (size_t)(at - s->chunk->events);
    s->chunk->header.commit = (uint64_t)s->chunk->header.sequence << 32 | s->chunk->used;
    if (e.has_stack)
        s->depth = s->depth - (e.base < s->depth ? e.base : s->depth) + e.push;
}

BUILDER_UNUSED static void builder_thread(struct builder_stream *s, uint64_t time, uint32_t serial)
{
    struct spool_event e = {.kind = SPOOL_THREAD,
                            .address = (uint64_t)serial << 32 | (5000 + serial),
                            .size = 4,
                            .payload = (const uint8_t *)"name"};
    s->thread = serial;
    builder_event(s, time, e, NULL);
}

/* A stream with its first chunk, of this thread. */
BUILDER_UNUSED static struct builder_stream *builder_stream(struct spool_builder *b,
                                                            uint32_t process, uint32_t thread)
{
    assert(b->stream_count < BUILDER_STREAMS);
    struct builder_stream *s = &b->streams[b->stream_count];
    *s = (struct builder_stream){.builder = b, .process = process};
    s->id = (uint32_t)b->stream_count++;
    uint64_t time = process ? b->processes[process].fork_ticks - BUILDER_START : 0;
    builder_open_chunk(s, time);
    builder_thread(s, time, thread);
    return s;
}

/* The stream goes on in a new chunk. */
BUILDER_UNUSED static void builder_next_chunk(struct builder_stream *s, uint64_t time)
{
    builder_open_chunk(s, time);
    builder_thread(s, time, s->thread);
}

/* An event with its whole stack, outermost first. */
BUILDER_UNUSED static void builder_stacked(struct builder_stream *s, uint64_t time,
                                           enum spool_kind kind, uint64_t address, uint64_t size,
                                           uint32_t count, const uint32_t *frames)
{
    struct spool_event e = {.kind = kind,
                            .has_stack = 1,
                            .address = address,
                            .size = size,
                            .base = s->depth,
                            .push = count};
    builder_event(s, time, e, frames);
}

BUILDER_UNUSED static void builder_alloc(struct builder_stream *s, uint64_t time, uint64_t address,
                                         uint64_t size, uint32_t count, const uint32_t *frames)
{
    builder_stacked(s, time, SPOOL_ALLOC, address, size, count, frames);
}

BUILDER_UNUSED static void builder_plain(struct builder_stream *s, uint64_t time,
                                         enum spool_kind kind, uint64_t address, uint64_t size)
{
    builder_event(s, time, (struct spool_event){.kind = kind, .address = address, .size = size},
                  NULL);
}

BUILDER_UNUSED static void builder_free_block(struct builder_stream *s, uint64_t time,
                                              uint64_t address)
{
    builder_plain(s, time, SPOOL_FREE, address, 0);
}

/* All of it as bytes; free() them. */
BUILDER_UNUSED static uint8_t *builder_bytes(struct spool_builder *b, size_t *size)
{
    uint8_t *file = calloc(1, b->control.carved);
    *size = b->control.carved;
    memcpy(file, &b->header, sizeof b->header);
    memcpy(file + SPOOL_PAGE, &b->control, sizeof b->control);
    memcpy(file + SPOOL_PAGE + SPOOL_HIGH_WATER_OFFSET, b->high_water, sizeof b->high_water);
    memcpy(file + BUILDER_INFO_AT, b->info, sizeof b->info);
    memcpy(file + BUILDER_PROCESSES_AT, b->processes, sizeof b->processes);
    memcpy(file + BUILDER_MODULES_AT, b->modules, sizeof b->modules);
    memcpy(file + BUILDER_PCS_AT, b->pcs, sizeof b->pcs);
    for (size_t i = 0; i < b->chunk_count; i++) {
        const struct builder_chunk *c = &b->chunks[i];
        memcpy(file + c->header.offset, &c->header, sizeof c->header);
        memcpy(file + c->header.offset + sizeof c->header, c->events, c->used);
    }
    return file;
}

BUILDER_UNUSED static int builder_fd(const uint8_t *bytes, size_t size)
{
    int fd = memfd_create("spool", MFD_CLOEXEC);
    assert(fd >= 0);
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, bytes + done, size - done);
        assert(n > 0);
        done += (size_t)n;
    }
    return fd;
}

BUILDER_UNUSED static int builder_file(struct spool_builder *b)
{
    size_t size;
    uint8_t *bytes = builder_bytes(b, &size);
    int fd = builder_fd(bytes, size);
    free(bytes);
    return fd;
}

BUILDER_UNUSED static void builder_free(struct spool_builder *b)
{
    for (size_t i = 0; i < b->chunk_count; i++)
        free(b->chunks[i].events);
}

#endif
