/*
 * recorded.h - one recording of a tree, from its spool's first sight to the complete capture.
 *
 *   NEW -> WAITING -> COLLECTING -> OVER        (driven by gather.c)
 *    `-> FOREIGN
 *
 * While it is WAITING or COLLECTING it holds up to two files, and one of the sampler's for each
 * process. Single-threaded, prints nothing: errors are in the result.
 */
#ifndef MPROF_RECORDED_H
#define MPROF_RECORDED_H

#include "collect.h"
#include "gathered.h"
#include "sampler.h"
#include "spool_peek.h"
#include "summary.h"

enum recorded_stage {
    RECORDED_NEW,     /* not looked into, or the header is not complete yet */
    RECORDED_WAITING, /* ours; no collector yet */
    RECORDED_COLLECTING,
    RECORDED_OVER,    /* nothing more will be done */
    RECORDED_FOREIGN, /* of another tree, or no spool at all */
};

struct recorded {
    enum recorded_stage stage;
    char *spool; /* file name */
    char *part;
    uint64_t inode;                 /* the spool's; 0: there was none, or it has been removed */
    const struct recorded *earlier; /* NULL, or one whose spool had this name and was removed */
    struct spool_peek peek;
    int capture_fd;
    struct collector *collector;
    struct gathered result;
};

/* How the program that was started ended. */
struct root_end {
    struct ending ending; /* END_UNKNOWN while it runs */
    uint64_t boottime_ns; /* when that was seen */
    uint64_t rss_mark; /* the highest resident set of it and of all that it waited for; 0 unknown */
};

/* What all recordings of a tree have in common; nothing in it is theirs to free. */
struct recorded_place {
    int folder_fd;
    uint64_t tree;
    struct symbolizer *symbols;
    struct sampler *sampler;
    struct proc_identity root;
    struct root_end root_end;
    size_t beside;  /* recordings that were met, without the root's first */
    int names_move; /* a spool was removed, and another process has taken its name */
};

/* `earlier`: the last one of this name, NULL if there is none. */
struct recorded *recorded_new(const char *spool, const struct recorded *earlier);
void recorded_free(struct recorded *r, const struct recorded_place *place);

/* Has its name become another file's? Happens where something removes spools in use: the next
 * recorder takes the free name. Not while it is NEW: whichever file is there then is the one. */
int recorded_is_replaced(const struct recorded *r, const struct recorded_place *place);

/* NEW: is it one of ours? To WAITING or FOREIGN, or no change, as long as `earlier` has the names
 * of its files. */
void recorded_meet(struct recorded *r, const struct recorded_place *place);

/* WAITING: takes the spool's lock and starts collecting. To COLLECTING, or no change while another
 * command holds the lock or there are no more files, or OVER with an error, or because another
 * command has collected it. */
void recorded_start(struct recorded *r, const struct recorded_place *place);

/* Looks which of its processes live, and has the sampler watch the new ones. */
void recorded_look(struct recorded *r, const struct recorded_place *place);

/* COLLECTING: takes in what is there; returns the number of events. An error ends it (OVER). */
int64_t recorded_step(struct recorded *r, const struct recorded_place *place);

/* COLLECTING, and nobody writes any more: completes the capture and removes the spool (OVER).
 * `instead_of`: the recording whose place it takes, NULL for a place of its own. */
void recorded_finish(struct recorded *r, const struct recorded_place *place,
                     const char *instead_of);

/* Leaves the spool to others (OVER), after taking the root's figures so far. */
void recorded_leave(struct recorded *r, const struct recorded_place *place);

#endif
