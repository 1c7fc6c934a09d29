/*
 * payloads.h - the fields of all payloads except tables and events: the head, the summary of a
 * process, the list of processes, checkpoints, samples, live blocks, positions, the index.
 *
 * Each function names the fields in the order of the file, for both directions (codec.h). The
 * caller codes an array's count before it.
 */
#ifndef MPROF_PAYLOADS_H
#define MPROF_PAYLOADS_H

#include "codec.h"
#include "summary.h"
#include "writer.h"

/* SUMMARY of a capture of that version, in either direction. Reading takes the arrays from the
 * image's arena and checks them against its tables; returns 0 where they do not fit. */
int code_process(struct codec *c, struct process *p, const struct image *image, uint32_t version);

/* MAPPED, in either direction, once the process has its summary and its threads; the lists from the
 * image's arena. Returns 0 where it does not fit those. */
int code_mapped(struct codec *c, struct process *p, const struct image *image);

/* LOST, in either direction; 0 where it makes no sense. */
int code_lost(struct codec *c, struct process *p);

/* BOUNDS, in the same way. */
int code_bounds(struct codec *c, struct process *p);

/* MODULES, in either direction, the list from the image's arena; 0 where it makes no sense. */
int code_modules(struct codec *c, struct image *image);

/* FAMILY, in the same way. */
int code_family(struct codec *c, struct image *image);

/* SELFCHECK, in either direction, the list from the image's arena; 0 where it makes no sense. */
int code_selfcheck(struct codec *c, struct process *p, const struct image *image);

/* THREADS, in the same way. */
int code_threads(struct codec *c, struct process *p, const struct image *image);

/* FAILED, in the same way. */
int code_failed(struct codec *c, struct process *p, const struct image *image);

/* PROCESSES: serial, parent, pid, parent's pid, start time of each. */
void code_process_list(struct codec *c, struct process *processes, size_t count);

/* SAMPLES */
void code_samples(struct codec *c, struct sample *samples, size_t count);

/* CHECKPOINT, of captures with CAPTURE_BLOCKS */
struct checkpoint_entry {
    uint32_t class;
    uint32_t blocks;
};
void code_checkpoint(struct codec *c, struct checkpoint_entry *entries, size_t count);

/* LIVE; in order of address */
struct live_block {
    uint64_t address;
    uint64_t tick; /* of its allocation */
    uint32_t class;
};
void code_live_blocks(struct codec *c, struct live_block *blocks, size_t count);

/* POSITIONS */
void code_positions(struct codec *c, struct stream_position *positions, size_t count);

/* HEAD: command line, executable, folder, host */
void code_head(struct codec *c, struct image *image);

/* The image's state when it was finished: was the spool cut, did the program run? Begins INDEX. */
void code_state(struct codec *c, struct image *image);

/* INDEX: every block before it, in the order of the file */
struct index_entry {
    uint32_t type, process;
    uint64_t offset;
    uint64_t events, first_tick, last_tick; /* EVENTS only */
};
void code_index(struct codec *c, struct index_entry *entries, size_t count);

#endif
