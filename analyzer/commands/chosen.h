/*
 * chosen.h - which part of a recording to show: its first process, another process of its tree
 * (--pid), or all of them together (--tree).
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
    struct recording *recording; /* the one asked for */
    struct recording *other;     /* the one that holds the process, if that is another */
    struct lineage lineage;
    struct image view;          /* with one process */
    struct image *sum;          /* of the tree */
    const struct image *image;  /* what to show: its process 0 */
    const struct image *source; /* the whole recording behind it; NULL for a tree */
    enum series series;         /* of it */
};

/* Returns COMMAND_OK, or another exit status after a sentence. with_family: fill the lineage in any
 * case; without it, it is empty unless --pid or --tree needs it. */
int chosen_open(struct chosen *c, const char *command, const char *operand,
                const struct choosing *choosing, int with_family);
void chosen_close(struct chosen *c);

#endif
