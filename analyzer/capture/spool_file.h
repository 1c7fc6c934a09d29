/*
 * spool_file.h - a spool as a file: header, tables, and where its chunks lie.
 *
 * Read with pread only, never mapped: the file may be cut under us, and a mapping would raise
 * SIGBUS. Nothing read is trusted: what does not fit the file or the format is as if it were not
 * there. The program may be writing at the same time; a chunk header counts only once its mark,
 * its own offset and the spool's id agree, and its commit word says which bytes after it do.
 * (The words stand on multiples of 8, which a kernel does not copy in halves.)
 *
 * Owner: the file descriptor is the caller's; spool_file_close releases the rest. One thread.
 */
#ifndef MPROF_SPOOL_FILE_H
#define MPROF_SPOOL_FILE_H

#include "spool.h"

/* Claimed space without a chunk header: never used, or being initialised this moment. */
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
    uint64_t scanned;       /* chunks are known up to here, but for the holes */
    struct spool_hole *holes;
    size_t hole_count, hole_capacity;
    struct spool_free *free; /* looked at again by each scan */
    size_t free_count, free_capacity;
    int cut; /* the file is shorter than what was claimed in it */
};

/* Returns COLLECT_OK or an error of collect.h. */
int spool_file_open(struct spool_file *f, int fd);
void spool_file_close(struct spool_file *f);

/* Up to `bytes` from `offset`; how many there are. */
size_t spool_file_read(const struct spool_file *f, uint64_t offset, void *to, size_t bytes);

/* Looks again at the file's size and the control page. */
void spool_file_refresh(struct spool_file *f);

/* Calls found(context, chunk) for each chunk that has appeared since the last call. */
void spool_file_scan(struct spool_file *f,
                     void (*found)(void *context, const struct spool_chunk *chunk), void *context);

/* A collector has moved this chunk: another may appear in its place. */
void spool_file_watch(struct spool_file *f, uint64_t chunk_offset);

/* What changes in a chunk header. */
struct spool_progress {
    uint64_t bytes; /* of valid events */
    int busy, closed;
    int is_other; /* another chunk has taken this one's place */
};
struct spool_progress spool_file_progress(const struct spool_file *f, uint64_t chunk_offset,
                                          uint64_t chunk_bytes, uint32_t sequence);

/* Entries of the tables: 1, or 0 where there is none or it is not valid (yet). */
#define SPOOL_FILE_GAP 4096 /* process serials without an entry that are believed */
uint32_t spool_file_process_count(const struct spool_file *f);
int spool_file_process(const struct spool_file *f, uint32_t serial, struct spool_process *entry);
/* Forked children that have no entry, and the events that they lost, all of them. */
uint64_t spool_file_unplaced(const struct spool_file *f, uint64_t *events);
int spool_file_module(const struct spool_file *f, uint32_t serial, struct spool_module *entry);
int spool_file_pc(const struct spool_file *f, uint32_t id, struct spool_pc *entry);

/* A string of the info area with a NUL behind it; free() it. Its length, NULs inside included, goes
 * to *bytes. */
char *spool_file_string(const struct spool_file *f, struct spool_string string, size_t *bytes);

#endif
