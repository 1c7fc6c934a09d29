/* gap.c - see gap.h. */
#include "gap.h"

const char *gap_words(enum symbol_gap gap)
{
    switch (gap) {
    case SYMBOLS_WHOLE:
        break;
    case SYMBOLS_GONE:
        return "its file is gone, or cannot be read from here";
    case SYMBOLS_REPLACED:
        return "another file has its place now";
    case SYMBOLS_UNSHOWN:
        return "without a build id, nothing shows that the file is still the one that was loaded";
    case SYMBOLS_UNREADABLE:
        return "its file is cut or damaged";
    case SYMBOLS_DWP:
        return "its debug information is in a .dwp file, which elfutils does not read";
    case SYMBOLS_DWO:
        return "its debug information is in .dwo files that are not there any more";
    case SYMBOLS_DWARF64:
        return "its debug information has the 64-bit format, which elfutils does not read";
    case SYMBOLS_ZSTD:
        return "its debug information is compressed with zstd, which this elfutils does not read";
    }
    return "";
}
