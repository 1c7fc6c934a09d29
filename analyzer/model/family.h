/*
 * family.h - the processes of a tree of recordings, as the views show them.
 *
 * Shapes only. A relative is one life of a process in one exec image (kinship.h). What is known of
 * it depends on how much was read: from a head only who it is, from a summary its figures too.
 * Owner of everything: whoever filled it.
 */
#ifndef MPROF_FAMILY_H
#define MPROF_FAMILY_H

#include "kinship.h"
#include "summary.h"

struct relative {
    const char *recording; /* name of the file that holds it */
    const char *command;   /* clean, one line; "" unknown */
    uint32_t serial;       /* in its image; 0 is the one that was exec'd */
    uint64_t clock_ns;     /* where 0 of its recording's clock lies, since the family's start */
    int has_figures;       /* all below is known */
    int runs_on, cut;
    uint64_t end_ns;      /* since 1970, as kin.begin_ns */
    struct ending ending; /* its text belongs to the relative */
    struct totals totals; /* times of peaks, and quality.loss.since_ns: since the family's start */
    int series_unknown;   /* as its process's: an older capture, in which memory is the heap */
    struct quality quality;
};

struct family {
    struct kin *kin; /* [i] is relatives[i]'s; those of one recording in a row */
    struct relative *relatives;
    size_t count;
    size_t self;   /* who was asked for */
    size_t *order; /* self and all that descend from it, everyone before their own */
    size_t order_count;
    unsigned char *in_tree; /* [i]: is in `order` */
    unsigned char *is_left; /* [i]: became another image that is in the list */
    /* What the figures lack; known where all recordings were read. */
    size_t cut;     /* recordings that end early */
    size_t unread;  /* recordings that cannot be read */
    size_t missing; /* processes that are in no recording of the folder */
};

#endif
