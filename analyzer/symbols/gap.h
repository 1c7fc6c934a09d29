/*
 * gap.h - why names or debug information of an object are missing. What nobody can expect (lines of
 * a stripped library) is no gap. Any thread.
 */
#ifndef MPROF_GAP_H
#define MPROF_GAP_H

#include <stdbool.h>

enum symbol_gap {
    SYMBOLS_WHOLE,
    /* no names, and so no lines */
    SYMBOLS_GONE,       /* there is no such file any more, or it may not be read */
    SYMBOLS_REPLACED,   /* another file has its path */
    SYMBOLS_UNSHOWN,    /* nothing shows that the file is what was loaded */
    SYMBOLS_UNREADABLE, /* the file is cut or damaged */
    /* names, but not what debug information would add: lines, inlined calls */
    SYMBOLS_DWP,     /* it is in a .dwp file, which elfutils does not read */
    SYMBOLS_DWO,     /* it is in .dwo files that are gone */
    SYMBOLS_DWARF64, /* in the 64-bit format, which elfutils does not read */
    SYMBOLS_ZSTD,    /* compressed with zstd, which this elfutils does not read */
    SYMBOLS_NO_DWARF /* damaged */
};

static inline bool gap_is_of_names(enum symbol_gap gap)
{
    return gap >= SYMBOLS_GONE && gap <= SYMBOLS_UNREADABLE;
}

/* The gap in a few words, for a line that begins with the object's name; "" for SYMBOLS_WHOLE. */
const char *gap_words(enum symbol_gap gap);

#endif
