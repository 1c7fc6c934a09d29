/*
 * spool_map.h - sole owner of the spool's mapping: the mapped parts of the file, its tables, and
 * the room carved from its end. Nothing outside spool_map.c maps or grows the file (window.c cuts
 * up what it maps).
 *
 * The file is MAP_SHARED and sparse up to its cap, and its descriptor is closed after the start.
 * mremap maps more of it from an anchor, a page that stays mapped for this; pages are populated
 * before they are touched, so that a full disk is an error code and not a SIGBUS.
 *
 * Threads: any.
 */
#ifndef MPROF_SPOOL_MAP_H
#define MPROF_SPOOL_MAP_H

#include "spool.h"

#include <stddef.h>
#include <stdint.h>

#define SPOOL_POPULATE_STEP (128u << 10)

/* The mapped parts of the spool. header NULL: nothing is recorded. */
struct spool_mapping {
    struct spool_header *header;
    struct spool_control *control;
    struct spool_process *process; /* this process's entry */
    uint32_t process_serial;
};

extern struct spool_mapping spool;

/* Takes over the freshly created file: lays out and maps the header, the control page and the
 * tables. The caller then fills the header's facts and calls spool_publish. Returns NULL, or the
 * reason why it failed (a static string). */
const char *spool_create(long fd, uint64_t cap);
void spool_publish(void);

/* 1 where the kernel is too old to populate pages: the descriptor must stay open. */
int spool_needs_fd(void);

/* Maps and populates room for the chunks to come, before memory calls are given up (sandbox.h).
 * Once per process; what does not fit into that room is lost. */
void spool_set_aside(void);
void spool_forget_room(void); /* in a forked child: all of it is the parent's */

/* Maps a window of the spool (window.h), aligned in memory as in the file, and populates the first
 * page of each of its slots; NULL where there is no room for it. */
uint8_t *spool_map_window(size_t bytes, size_t slot_bytes, uint64_t *offset);

/* Entry i of a table, with its page populated, or NULL (table full, disk full). */
void *spool_entry(const struct spool_table *table, uint32_t i);

/* Reserves the pages' disk space: 0, or -1 when the disk is full. */
int spool_populate(uint8_t *p, uint64_t offset, size_t bytes);

/* Carves and maps `bytes` of the file and populates the first *ready of them (at least `need`);
 * NULL where there is no room. */
uint8_t *spool_pages(size_t bytes, size_t need, size_t *ready, uint64_t *offset);

#endif
