/*
 * spool_file.h - a spool as a file: header, tables, and where its chunks lie.
 *
 * Read with pread only, never mapped: the file may be cut under us, and a mapping would raise
 * SIGBUS. Nothing read is trusted: what does not fit the file or the format counts as absent. The
 * program may be writing at the same time; a chunk header counts only once its mark, its own offset
 * and the spool's id agree, and its commit word says which bytes after it count. (These words are
 * aligned to 8 bytes, so the kernel does not copy them in halves.)
 *
 * Owner: the file descriptor is the caller's; spool_file_close releases the rest. One thread.
 */
#ifndef MPROF_SPOOL_FILE_H
#define MPROF_SPOOL_FILE_H

#include "spool.h"

/* Claimed space without a chunk header: never used, or just being initialised. */
struct spool_hole {
    uint64_t begin, end;
};

/* A chunk's space that is free to become another chunk's. */
struct spool_free {
    uint64_t offset;
};

struct spool_file {
    int fd;
    uint64_t size;
    struct spool_header header;
    struct spool_control control;
    uint32_t process_count; /* as far as the file has their entries */
    uint64_t scanned;       /* chunks are known up to here, except in the holes */
    struct spool_hole *holes;
    size_t hole_count, hole_capacity;
    struct spool_free *free; /* each scan looks at these again */
    size_t free_count, free_capacity;
    int cut; /* the file is shorter than what was claimed in it */
};

/* Returns COLLECT_OK or an error of collect.h. */
int spool_file_open(struct spool_file *f, int fd);
void spool_file_close(struct spool_file *f);

/* Reads up to `bytes` from `offset`; returns how many there are. */
size_t spool_file_read(const struct spool_file *f, uint64_t offset, void *to, size_t bytes);

/* Looks again at the file's size and the control page. */
void spool_file_refresh(struct spool_file *f);

/* Calls found(context, chunk) for each chunk that has appeared since the last call. */
void spool_file_scan(struct spool_file *f,
                     void (*found)(void *context, const struct spool_chunk *chunk), void *context);

/* Watches the place of a chunk that a collector has moved: another may appear there. */
void spool_file_watch(struct spool_file *f, uint64_t chunk_offset);

/* The parts of a chunk header that change. */
struct spool_progress {
    uint64_t bytes; /* of valid events */
    int busy, closed;
    int is_other; /* another chunk has taken this one's place */
};
struct spool_progress spool_file_progress(const struct spool_file *f, uint64_t chunk_offset,
                                          uint64_t chunk_bytes, uint32_t sequence);

/* Table entries. Return 1, or 0 where there is none or it is not valid (yet). */
#define SPOOL_FILE_GAP 4096 /* serials past the process count that are still believed */
uint32_t spool_file_process_count(const struct spool_file *f);
int spool_file_process(const struct spool_file *f, uint32_t serial, struct spool_process *entry);
/* Number of forked children without an entry; *events: their events, all of them lost. */
uint64_t spool_file_unplaced(const struct spool_file *f, uint64_t *events);
/* The highest resident set that the process noted at its end; 0 unknown. */
uint64_t spool_file_high_water(const struct spool_file *f, uint32_t serial);
int spool_file_module(const struct spool_file *f, uint32_t serial, struct spool_module *entry);
int spool_file_pc(const struct spool_file *f, uint32_t id, struct spool_pc *entry);

/* A string of the info area, NUL-terminated; free() it. *bytes is its length with inner NULs. */
char *spool_file_string(const struct spool_file *f, struct spool_string string, size_t *bytes);

#endif
