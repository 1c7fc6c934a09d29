/*
 * stream_read.h - the events of one stream: its chunks in order, decoded one by one. A part of
 * order.h, which keeps the streams.
 */
#ifndef MPROF_STREAM_READ_H
#define MPROF_STREAM_READ_H

#include "order.h"

/* Adds a chunk in order of index; 0 where one of this or a later index is being read already. Of
 * one that is known a copy only tells where it lies now. */
int stream_add_chunk(struct stream *s, struct chunk_place place, int is_copy);

/* A later chunk of the stream has been seen, the next one to be read has not. */
int stream_has_gap(const struct stream *s);

/* After is_stale, when the copies have been looked for. */
void stream_look_again(struct stream *s, const struct spool_file *file);

/* How many event bytes of its chunk come before the stream's present event, or with it. */
uint64_t stream_bytes(const struct stream *s, int with_present);

/* Goes on to the next event: the present one, if any, is consumed. 1: s->event is it. 0: all that
 * is known to be committed has been read. Bytes that are no events are left out up to the next
 * chunk, and s->spoiled is set. */
int stream_advance(struct stream *s, const struct spool_file *file);

#endif
