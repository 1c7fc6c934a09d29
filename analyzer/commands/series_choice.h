/*
 * series_choice.h - what of a process to show: its heap, its mapped memory or, without an option,
 * both (enum series).
 */
#ifndef MPROF_SERIES_CHOICE_H
#define MPROF_SERIES_CHOICE_H

#include "options.h"
#include "summary.h"

struct series_choice { /* values of a command's options */
    int heap, mapped;
};

/* Entries of an option table, for a member `choice` of the command's values. */
#define SERIES_OPTIONS(values, choice)                                                             \
    {0,                                                                                            \
     "heap",                                                                                       \
     OPTION_FLAG,                                                                                  \
     NULL,                                                                                         \
     offsetof(values, choice.heap),                                                                \
     NULL,                                                                                         \
     "only the heap: blocks of malloc and its like"},                                              \
    {                                                                                              \
        0, "mapped", OPTION_FLAG, NULL, offsetof(values, choice.mapped), NULL,                     \
            "only mapped memory: what the program has mapped itself and made writable"             \
    }

/* The series that the options ask for; of an older recording memory is only its heap. */
enum series series_wanted(const struct series_choice *choice);

/* What it is, in a sentence: "mapped memory". */
const char *series_words(enum series series);

/* COMMAND_OK, or COMMAND_USAGE after a sentence where the options contradict each other. */
int series_check(const char *command, const struct series_choice *choice);

/* 1 after a sentence that one of the options adds nothing to a command's JSON, which has both. */
int series_refused(const char *command, const struct series_choice *choice);

/* The series to show of the process: COMMAND_OK, or COMMAND_FAILED after a sentence where an older
 * recording has nothing of it. */
int series_choose(const struct series_choice *choice, const char *recording,
                  const struct process *process, enum series *series);

#endif
