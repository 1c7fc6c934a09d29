/*
 * whereabouts.h - what report and leaks share about where code lies: the option --addresses, and
 * the foot that says how to get missing names. One thread.
 */
#ifndef MPROF_WHEREABOUTS_H
#define MPROF_WHEREABOUTS_H

#include "options.h"
#include "summary.h"

/* An entry of an option table, for a member `addresses` of the command's values. */
#define ADDRESSES_OPTION(values, what)                                                             \
    {                                                                                              \
        0, "addresses", OPTION_FLAG, NULL, offsetof(values, addresses), NULL,                      \
            "below " what " print its module and its address there, as addr2line -e takes them, "  \
            "and at the foot the modules' build ids; --json always has them"                       \
    }

/* 1 after a sentence that --addresses adds nothing: to --json, or where nothing is shown (count 0).
 */
int addresses_refused(const char *command, int json, long count, int addresses);

/* Prints which debug symbols would bring the names that functions of the series in process 0 lack;
 * nothing if they have all. */
void names_foot(const struct image *image, enum series series, FILE *out);

#endif
