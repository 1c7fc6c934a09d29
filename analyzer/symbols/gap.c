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
        return "it is in a .dwp file, which elfutils does not read; keep the .dwo files";
    case SYMBOLS_DWO:
        return "its .dwo files are gone";
    case SYMBOLS_DWARF64:
        return "elfutils does not read its 64-bit format; compile without -gdwarf64";
    case SYMBOLS_ZSTD:
        return "it is compressed with zstd, which this elfutils does not read; use zlib";
    case SYMBOLS_NO_DWARF:
        return "it is damaged";
    }
    return "";
}
