/*
 * gap.h - why names or debug information of an object are missing. What nobody can expect (a
 * stripped library has no lines) is no gap.
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
    /* names, but not what debug information would add: lines, inlined calls */
    SYMBOLS_DWP,     /* it is in a .dwp file, which elfutils does not read */
    SYMBOLS_DWO,     /* it is in .dwo files that are gone */
    SYMBOLS_DWARF64, /* of the 64-bit format, and elfutils does not read that */
    SYMBOLS_ZSTD,    /* compressed with zstd, and this elfutils does not read that */
    SYMBOLS_NO_DWARF /* damaged */
};

static inline bool gap_is_of_names(enum symbol_gap gap)
{
    return gap >= SYMBOLS_GONE && gap <= SYMBOLS_UNREADABLE;
}

/* In a few words, for a line that begins with the object's name; "" for SYMBOLS_WHOLE. */
const char *gap_words(enum symbol_gap gap);

#endif
