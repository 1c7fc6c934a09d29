/*
 * stream_read.h - the events of one stream: its chunks in order, decoded one by one. A part of
 * order.h, which keeps the streams.
 */
#ifndef MPROF_STREAM_READ_H
#define MPROF_STREAM_READ_H

#include "order.h"

/* Adds a chunk in order of index. Returns 0 where that index is known already or reading has gone
 * past it. A copy of a known chunk is no error: it updates where the chunk lies. */
int stream_add_chunk(struct stream *s, struct chunk_place place, int is_copy);

/* Has a later chunk of the stream been seen, but not the next one to read? */
int stream_has_gap(const struct stream *s);

/* Resumes after is_stale, once the copies have been looked for. */
void stream_look_again(struct stream *s, const struct spool_file *file);

/* Event bytes of the chunk before the stream's present event; with_present: that event included. */
uint64_t stream_bytes(const struct stream *s, int with_present);

/* Consumes the present event, if any, and goes on to the next. 1: s->event is that one. 0:
 * everything known to be committed has been read. Where bytes are no events, skips to the next
 * chunk and sets s->damaged (or leaves them to stream_look_again where s->is_stale). */
int stream_advance(struct stream *s, const struct spool_file *file);

#endif
