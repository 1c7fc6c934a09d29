/* dwarf_gap.c - see dwarf_gap.h. */
#include "dwarf_gap.h"

#include <gelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "elf_files.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

enum { LENGTH_64 = 0xffffffff }; /* a unit of the 64-bit format begins with it */

static bool is_zstd(Elf_Scn *section)
{
    GElf_Shdr header;
    Elf_Data *data = elf_rawdata(section, NULL);
    Elf64_Chdr compressed; /* libelf may not know the type, and then gives no header */
    if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_COMPRESSED) || !data ||
        !data->d_buf || data->d_size < sizeof compressed)
        return false;
    memcpy(&compressed, data->d_buf, sizeof compressed);
    return compressed.ch_type == ELFCOMPRESS_ZSTD;
}

static bool is_64_bit(Elf_Scn *section)
{
    Elf_Data *data = elf_getdata(section, NULL);
    uint32_t length = 0;
    if (data && data->d_buf && data->d_size >= sizeof length)
        memcpy(&length, data->d_buf, sizeof length);
    return length == LENGTH_64;
}

static bool has_packed_file(const char *path)
{
    char packed[PATH_MAX];
    return snprintf(packed, sizeof packed, "%s.dwp", path) < (int)sizeof packed &&
           access(packed, F_OK) == 0;
}

enum symbol_gap dwarf_gap(Elf *elf, const struct dwarf_lookup *lookup, const char *path)
{
    GElf_Shdr header;
    Elf_Scn *section = elf_section_by_name(elf, ".debug_info");
    if (!section)
        section = elf_section_by_name(elf, ".zdebug_info");
    if (!section || !gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS)
        return SYMBOLS_WHOLE;
    if (lookup && dwarf_lookup_misses_split(lookup))
        return has_packed_file(path) ? SYMBOLS_DWP : SYMBOLS_DWO;
    if (lookup && dwarf_lookup_has_units(lookup))
        return SYMBOLS_WHOLE;
    return is_zstd(section)     ? SYMBOLS_ZSTD
           : is_64_bit(section) ? SYMBOLS_DWARF64
                                : SYMBOLS_NO_DWARF;
}
