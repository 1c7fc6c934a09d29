/*
 * lineage_gaps.h - what the recordings of a family lack: files that cannot be read, cut ones,
 * processes that are in none of them. Part of lineage.c.
 */
#ifndef MPROF_LINEAGE_GAPS_H
#define MPROF_LINEAGE_GAPS_H

#include "lineage.h"

/* Counts family.cut, .unread and .missing of a lineage that has all figures and whose starters are
 * found. Says, in a sentence each, which unreadable files of the folder belong to it by name. */
void lineage_gaps_find(struct lineage *l);

#endif
