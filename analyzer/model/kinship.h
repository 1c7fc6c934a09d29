/*
 * kinship.h - who started whom among the processes of a tree.
 *
 * A kin is one life of a process in one exec image: a pid that execs has another one afterwards.
 * Known of it is what the recorder saw at its beginning. The starter of an image's first process is
 * the process that was at its pid before the exec, else the one with the pid of its parent; where
 * neither is in the list (an orphan, whose parent had ended) nobody is. Pids are told apart by
 * their start times. Single-threaded, owns nothing.
 */
#ifndef MPROF_KINSHIP_H
#define MPROF_KINSHIP_H

#include <stddef.h>
#include <stdint.h>

#define KIN_NONE SIZE_MAX

enum kin_kind {
    KIN_FIRST, /* nobody in the list started it */
    KIN_FORK,  /* forked, and still in its parent's image */
    KIN_EXEC,  /* started by exec, of a child that is not in the list itself (vfork, posix_spawn) */
    KIN_BECAME /* what its starter, the same process, became by exec */
};

struct kin {
    int32_t pid, parent_pid;
    uint64_t start_time, parent_start_time; /* /proc/PID/stat's; 0 unknown */
    uint64_t begin_ns; /* a child's is no earlier than that of the process that forked it */
    size_t forker;     /* index of the process of the same image that forked it; else KIN_NONE */
    /* found by kinship_find: */
    enum kin_kind kind;
    size_t starter; /* index, KIN_NONE for KIN_FIRST */
    unsigned depth; /* 0 for KIN_FIRST; what became of a process stands at the depth of it */
};

/* Fills in kind, starter and depth. A forker stands before those that it forked. */
void kinship_find(struct kin *list, size_t count);

/* All indices, everybody before those that they started, these in order of their begin, each
 * followed by its own; with `of` only it and what descends from it, KIN_NONE: all. free() it. */
size_t *kinship_order(const struct kin *list, size_t count, size_t of, size_t *ordered);

/* Who started the process itself, whatever it became since; KIN_NONE: nobody in the list. */
size_t kinship_starter(const struct kin *list, size_t i);

#endif
