/*
 * gap.h - why names or lines of an object are missing. What nobody can expect (a stripped library
 * has no lines) is no gap.
 */
#ifndef MPROF_GAP_H
#define MPROF_GAP_H

#include <stdbool.h>

enum symbol_gap {
    SYMBOLS_WHOLE,
    /* no names, and so no lines */
    SYMBOLS_GONE,       /* there is no such file any more, or none that may be read */
    SYMBOLS_REPLACED,   /* another file has its path */
    SYMBOLS_UNSHOWN,    /* nothing shows that the file is what was loaded */
    SYMBOLS_UNREADABLE, /* the file is cut or damaged */
    /* names, but no lines: what elfutils does not read */
    SYMBOLS_DWP,     /* a .dwp file */
    SYMBOLS_DWO,     /* split DWARF whose .dwo file is not there */
    SYMBOLS_DWARF64, /* the 64-bit format */
    SYMBOLS_ZSTD     /* sections compressed with zstd */
};

static inline bool gap_is_of_names(enum symbol_gap gap)
{
    return gap >= SYMBOLS_GONE && gap <= SYMBOLS_UNREADABLE;
}

/* In a few words, for a line that begins with the object's name; "" for SYMBOLS_WHOLE. */
const char *gap_words(enum symbol_gap gap);

#endif
