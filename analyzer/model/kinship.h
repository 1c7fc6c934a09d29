/*
 * kinship.h - who started whom among the processes of a tree.
 *
 * A kin is one life of a process in one exec image: a pid that execs has another one afterwards.
 * What is known of it is what the recorder saw at its beginning. The starter of an image's first
 * process is the process that had its pid before the exec, else the one with its parent's pid;
 * where neither is in the list (an orphan whose parent had ended), nobody is. Start times tell
 * equal pids apart. Single-threaded, owns nothing.
 */
#ifndef MPROF_KINSHIP_H
#define MPROF_KINSHIP_H

#include <stddef.h>
#include <stdint.h>

#define KIN_NONE SIZE_MAX

enum kin_kind {
    KIN_FIRST, /* nobody in the list started it */
    KIN_FORK,  /* forked, and still in its parent's image */
    KIN_EXEC,  /* started by exec, from a child that is not itself in the list (vfork, spawn) */
    KIN_BECAME /* what its starter, the same process, became by exec */
};

struct kin {
    int32_t pid, parent_pid;
    uint64_t start_time, parent_start_time; /* /proc/PID/stat's; 0 unknown */
    uint64_t begin_ns;                      /* no earlier than that of the process that forked it */
    size_t forker; /* index of the process of the same image that forked it; else KIN_NONE */
    /* found by kinship_find: */
    enum kin_kind kind;
    size_t starter; /* index, KIN_NONE for KIN_FIRST */
    unsigned depth; /* 0 for KIN_FIRST; KIN_BECAME is at its starter's depth */
};

/* Fills in kind, starter and depth. A forker comes before those that it forked. */
void kinship_find(struct kin *list, size_t count);

/* All indices, each process before those that it started; these are in order of begin, each
 * followed by its own. With `of` only that one and its descendants, KIN_NONE: all. free() it. */
size_t *kinship_order(const struct kin *list, size_t count, size_t of, size_t *ordered);

/* Who started the process itself, whatever it has become; KIN_NONE: nobody in the list. */
size_t kinship_starter(const struct kin *list, size_t i);

#endif
