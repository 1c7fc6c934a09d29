/*
 * gathered.h - what `run` knows in the end of one recording of the tree. Passive; recorded.c fills
 * it in.
 */
#ifndef MPROF_GATHERED_H
#define MPROF_GATHERED_H

#include "proc_stat.h"
#include "spool_peek.h"
#include "summary.h"

enum gathered_state {
    GATHERED_OPEN,   /* being collected */
    GATHERED_DONE,   /* complete, at `name` */
    GATHERED_STAYS,  /* a spool: processes of it still run */
    GATHERED_FAILED, /* a spool: `error` (enum collect_error) and `error_number` say why */
    GATHERED_LOST,   /* the same, but the spool is gone, too */
};

struct gathered_exec { /* a process of the recording that became another program */
    struct proc_identity process;
    char *path; /* "" unknown */
};

struct gathered {
    enum gathered_state state;
    int error, error_number;
    char *name; /* of the file in the folder, without ".spool"; NULL: not (yet) one of ours */
    struct proc_identity process;
    uint64_t start_ns; /* CLOCK_BOOTTIME */
    int is_root;       /* the program that mprof-c started, or what it became by exec */
    size_t still_running;
    /* the figures of its first process; valid for DONE, and for a root that STAYS */
    int has_figures;
    int only_maps;        /* image_has_only_mappings */
    size_t process_count; /* that were born; with figures */
    int cut;              /* events are missing at its end */
    char *program;        /* base name of argv[0] */
    struct ending ending;
    struct totals totals;
    struct quality quality;
    uint64_t forked_peak_bytes; /* the most memory of a child without an exec; 0 there is none */
    /* of all its processes, whatever the state; without figures only what was lost is known */
    struct quality all;
    size_t losers; /* processes that lost an event */
    struct gathered_exec *execs;
    size_t exec_count;
    char reason[SPOOL_REASON_BYTES]; /* the recorder's reason for recording no (more) events; ""
                                        none */
};

/* Takes the figures from the collected image, which may go then. */
void gathered_take_figures(struct gathered *g, const struct image *image);

/* Releases what it owns. */
void gathered_clear(struct gathered *g);

#endif
