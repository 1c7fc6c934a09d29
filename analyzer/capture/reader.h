/*
 * reader.h - reads a capture file.
 *
 * Opening a complete capture reads its header, tail, index, tables and summaries and none of its
 * events, so it takes the same time for 10^3 and 10^9 of them. A capture without a valid end, or
 * with a damaged table, is read block by block up to the first damaged one (image->cut), and the
 * summary of a process that has lost its SUMMARY is worked out from its events (rebuild.h).
 *
 * Errors are those of recording.h. Single-threaded.
 */
#ifndef MPROF_READER_H
#define MPROF_READER_H

#include "event.h"
#include "recording.h"
#include "segment.h"
#include "summary.h"

struct reader;

/* The descriptor becomes the reader's, even where opening fails. */
int reader_open(struct reader **r, int fd);
void reader_close(struct reader *r); /* NULL is allowed */

/* The image belongs to the reader. */
const struct image *reader_image(const struct reader *r);

/* 1 where the file itself is complete; its image may still be cut, because its spool was. */
int reader_is_whole(const struct reader *r);

/* See recording_seek, recording_next, recording_classes. `process` is a serial. */
int reader_seek(struct reader *r, uint32_t process, uint64_t begin_ns);
int reader_next(struct reader *r, struct event *e);
const struct event_class *reader_classes(struct reader *r, size_t *count);

/* Live bytes of the process after the last event that reader_next gave. */
struct heap_level reader_level(const struct reader *r);

#endif
