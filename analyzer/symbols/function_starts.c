/* function_starts.c - a binary search in .eh_frame_hdr. */
#include "function_starts.h"
#include "elf_files.h"

#include <gelf.h>
#include <string.h>

/* The only layout that linkers write: a table of {begin, entry}, both signed 4-byte offsets from
 * the section's address, sorted by begin. */
enum { VERSION = 1, COUNT_UDATA4 = 0x03, TABLE_DATAREL_SDATA4 = 0x3b, HEADER_BYTES = 12 };

uint64_t function_start(Elf *elf, uint64_t address)
{
    GElf_Shdr header;
    Elf_Scn *section = elf ? elf_section_by_name(elf, ".eh_frame_hdr") : NULL;
    Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
    if (!data || !data->d_buf || data->d_size < HEADER_BYTES || !gelf_getshdr(section, &header))
        return 0;
    const uint8_t *bytes = data->d_buf;
    uint32_t count;
    memcpy(&count, bytes + 8, sizeof count);
    if (bytes[0] != VERSION || bytes[2] != COUNT_UDATA4 || bytes[3] != TABLE_DATAREL_SDATA4 ||
        count > (data->d_size - HEADER_BYTES) / 8)
        return 0;
    const uint8_t *table = bytes + HEADER_BYTES;
    int64_t wanted = (int64_t)(address - header.sh_addr);
    uint32_t low = 0, high = count;
    int32_t begin = 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        memcpy(&begin, table + 8 * (size_t)middle, sizeof begin);
        if (begin <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return 0;
    memcpy(&begin, table + 8 * (size_t)(low - 1), sizeof begin);
    return header.sh_addr + (uint64_t)(int64_t)begin;
}
