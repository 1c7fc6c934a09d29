/*
 * writer.h - writes a capture (normative text: doc/format.md). The collector is its only user.
 *
 * The writer appends blocks to a file descriptor it does not own: the image's tables as far as they
 * have grown, segments of about 4 Mi events of a process (zstd), each after a checkpoint of its
 * live blocks by class, and at the end the summaries and the index. Every block is whole or absent,
 * so a file cut anywhere can be read up to the cut. One thread calls; large blocks are compressed
 * and written by another one (packer.h), whose errors come a little later. Memory: one segment per
 * process, and those that wait.
 */
#ifndef MPROF_WRITER_H
#define MPROF_WRITER_H

#include "event.h"
#include "summary.h"

struct writer;

enum writer_error { WRITER_OK = 0, WRITER_FAILED = -1 /* errno says why */ };

/* Where collecting stood in a stream when a segment was written: with this a reader of a cut
 * capture can go on in the spool. */
struct stream_position {
    uint32_t stream, chunk_index, chunk_sequence;
    uint64_t bytes;
};

/* What the writer asks the collector for when a segment begins and ends. */
struct writer_source {
    void *context;
    /* a process's live blocks, in which the writer begins a new segment. NULL: events do not name
     * the blocks that they free, and there are no checkpoints */
    struct blocks *(*blocks)(void *context, uint32_t process);
    size_t (*positions)(void *context, uint32_t process, const struct stream_position **positions);
};

/* image: must outlive the writer; its header fields (id .. start_kind) are written at once, the
 * entries that its tables have gained with every segment. Never returns NULL: where the first bytes
 * could not be written, the next call says so. */
struct writer *writer_new(int fd, const struct image *image, const struct writer_source *source);

/* Set other bounds than the usual ones, for tests: events of a segment; entries of a list or of a
 * table's increment in one block; bytes of a block's texts. */
void writer_limit_segment(struct writer *w, uint64_t events);
void writer_limit_blocks(struct writer *w, size_t entries, size_t text_bytes);

/* Adds the next events of a process. classes: the collector's growing array; an event's class must
 * be < class_count. May write a segment. Call it when the collector's own state has taken in all of
 * them and no more: a segment's checkpoint is asked for when the previous one is complete. */
int writer_events(struct writer *w, uint32_t process, const struct event *events, size_t count,
                  const struct event_class *classes, size_t class_count);

/* Adds a sample of the resident set (the summary has them too; this is for cut files). */
int writer_sample(struct writer *w, uint32_t process, const struct sample *sample);

/* Writes the samples that have been added, for a file that holds nothing else. */
int writer_flush_samples(struct writer *w);

/* Adds a block still live at the end of a process; call before writer_finish. */
int writer_live_block(struct writer *w, uint32_t process, uint64_t address, uint32_t class,
                      uint64_t ns);

/* Writes what is left, the summary of image->processes, whether the image is cut or running, and
 * the index. Does not close the fd. */
int writer_finish(struct writer *w);
void writer_free(struct writer *w);

#endif
