/*
 * pieces.h - what a call about mappings makes, piece by piece, before it is counted: a call may
 * make several kinds at once, where it moves several ranges or where some of it is memory already.
 */
#ifndef MPROF_PIECES_H
#define MPROF_PIECES_H

#include "subject.h"

/* Adds a piece, if it is not empty; to the last one where they are one. */
void pieces_add(struct range_list *pieces, struct range piece);

/* The same of a place of shared memory, which may be memory in another place (attached.h). */
void pieces_add_settled(struct range_list *pieces, const struct subject *s, struct range piece);

/* A move's way: [from, from_end) has come to [to, to_end). */
struct way {
    uint64_t from, from_end, to, to_end;
    uint64_t mapping;
    int stays; /* as well, without its pages */
};

/* What lies in the new place, by what lay in the old one (`seen`). What the recording was told
 * nothing of was mapped before we came, and is memory; else it is a hole. Where the new place is
 * longer, the rest is what the last part was. */
void pieces_add_moved(struct range_list *pieces, struct subject *s, const struct way *way,
                      const struct range_list *seen);

/* Second places whose first one has gone since they were added are asked about anew. */
void pieces_settle_again(struct range_list *pieces, const struct subject *s);

/* Makes `range` a second view of what lies at `address`. */
void pieces_view_of(struct subject *s, struct range *range, uint64_t address);

#endif
