/*
 * chosen.h - which part of a recording to show: another process of its tree (--pid), all of them
 * together (--tree), or without either its first process. Two exceptions to that:
 *
 * - Where an index or nothing was given, the program that was started is meant: what it became
 * last, if it replaced itself by exec (a shim that execs an interpreter). A file is the image in
 * it.
 * - With CHOSEN_LEADER, of a family whose first process (of a file: whose image) only starts others
 *   (leader.h), the process that held most, and beside it the sum of all.
 *
 * With CHOSEN_HINTS, where a file was given that holds a shim, a sentence names the recording of
 * what it became last.
 *
 * chosen_open says in a sentence what is wrong; chosen_close releases everything in the struct,
 * even then.
 */
#ifndef MPROF_CHOSEN_H
#define MPROF_CHOSEN_H

#include "lineage.h"
#include "options.h"
#include "series_choice.h"

struct choosing { /* values of a command's options */
    long pid;     /* -1: none */
    int tree;
    struct series_choice series;
};
#define CHOOSING_NOTHING                                                                           \
    {                                                                                              \
        .pid = -1                                                                                  \
    }

/* Entries of an option table, for a member `which` of the command's values. */
#define CHOOSING_OPTIONS(values, which)                                                            \
    {0,                                                                                            \
     "pid",                                                                                        \
     OPTION_COUNT,                                                                                 \
     "N",                                                                                          \
     offsetof(values, which.pid),                                                                  \
     NULL,                                                                                         \
     "only process N of the recording's tree, a forked or an exec'd one; of a process that "       \
     "exec'd, "                                                                                    \
     "what it was last"},                                                                          \
        {0,                                                                                        \
         "tree",                                                                                   \
         OPTION_FLAG,                                                                              \
         NULL,                                                                                     \
         offsetof(values, which.tree),                                                             \
         NULL,                                                                                     \
         "the process and all that descend from it, summed"},                                      \
        SERIES_OPTIONS(values, which.series)

struct chosen {
    char *name;
    int how;                      /* enum chosen_how */
    enum series wanted;           /* by the options: who is biggest goes by it */
    struct recording *recording;  /* the one asked for */
    struct recording *other;      /* the one that holds the process, if that is another */
    struct recording *holder;     /* whichever of both it is; NULL for a tree */
    struct lineage lineage;       /* empty where nobody needed it */
    size_t shown;                 /* which relative of the lineage, if it is one */
    struct image view;            /* with one process */
    struct image *sum;            /* of the tree */
    const struct image *image;    /* what to show: its process 0 */
    const struct image *source;   /* the whole recording behind it; NULL for a tree */
    const struct image *together; /* CHOSEN_LEADER: the sum of a family of which `image` is the
                                     biggest; else NULL */
    enum series series;           /* of it: `wanted`, or the heap of an older recording */
};

enum chosen_how {
    CHOSEN_FAMILY = 1 << 0, /* fill the lineage in any case */
    CHOSEN_LEADER = 1 << 1,
    CHOSEN_UNTOLD = 1 << 2, /* the caller calls choice_tell for the holder */
    CHOSEN_HINTS = 1 << 3,  /* people read it: say where a shim's program is */
};

/* Returns COMMAND_OK, or another exit status after a sentence. how: of enum chosen_how. */
int chosen_open(struct chosen *c, const char *command, const char *operand,
                const struct choosing *choosing, int how);
void chosen_close(struct chosen *c);

#endif
