/* elf_strings.c - see elf_strings.h. */
#include "elf_strings.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "string_pool.h"

/* A section with a NUL behind it. */
struct copy {
    Elf *elf;
    struct copy *next;
    char *bytes;
};
static struct copy *copies;

enum holding { HOLDS_NONE, HOLDS_ONLY, HOLDS_AMONG_OTHERS };

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

/* Also of .dwo files (".debug_info.dwo"), and where an old linker has packed it
 * (".zdebug_info"). */
static enum holding holding_of(const char *name)
{
    char plain[32] = ".";
    if (begins(name, ".z"))
        name = strncat(plain, name + 2, sizeof plain - 2);
    if (begins(name, ".debug_str_offsets"))
        return HOLDS_NONE;
    if (begins(name, ".debug_str") || begins(name, ".debug_line_str"))
        return HOLDS_ONLY;
    if (begins(name, ".debug_info") || begins(name, ".debug_types"))
        return HOLDS_AMONG_OTHERS;
    return HOLDS_NONE;
}

/* Whoever asks for the section's data, raw or not, gets the copy. */
static void copy_with_end(Elf *elf, Elf_Scn *section, Elf_Data *data)
{
    Elf_Data *translated = elf_getdata(section, NULL);
    struct copy *copy = symbol_array_resize(NULL, 1, sizeof *copy);
    char *bytes = symbol_array_resize(NULL, data->d_size + 1, 1);
    memcpy(bytes, data->d_buf, data->d_size);
    bytes[data->d_size] = '\0';
    *copy = (struct copy){elf, copies, bytes};
    copies = copy;
    data->d_buf = bytes;
    if (translated)
        translated->d_buf = bytes;
}

static void end_strings(Elf *elf, Elf_Scn *section, Elf_Data *data, enum holding holding)
{
    char *last = data->d_buf ? (char *)data->d_buf + data->d_size - 1 : NULL;
    if (!last || data->d_size == 0 || *last == '\0')
        return;
    if (holding == HOLDS_ONLY)
        *last = '\0';
    else
        copy_with_end(elf, section, data);
}

/* What libdw would do as well; to it, a section of the old form is still packed afterwards, which
 * it finds is not so. */
static void unpack(Elf_Scn *section, const char *name)
{
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) && header.sh_flags & SHF_COMPRESSED)
        elf_compress(section, 0, 0);
    else if (begins(name, ".z"))
        elf_compress_gnu(section, 0, 0);
}

bool elf_end_strings(Elf *elf, Elf_Scn *section, const char *name)
{
    enum holding holding = holding_of(name);
    if (holding == HOLDS_NONE)
        return true;
    unpack(section, name);
    Elf_Data *data = elf_rawdata(section, NULL);
    if (data)
        end_strings(elf, section, data, holding);
    return data != NULL;
}

void elf_end_all_strings(Elf *elf)
{
    size_t names;
    GElf_Shdr header;
    if (elf_kind(elf) != ELF_K_ELF || elf_getshdrstrndx(elf, &names) != 0)
        return;
    for (Elf_Scn *at = elf_nextscn(elf, NULL); at; at = elf_nextscn(elf, at)) {
        const char *name =
            gelf_getshdr(at, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
        if (name)
            elf_end_strings(elf, at, name);
    }
}

void elf_strings_forget(Elf *elf)
{
    for (struct copy **at = &copies, *copy; (copy = *at) != NULL;) {
        if (copy->elf != elf) {
            at = &copy->next;
            continue;
        }
        *at = copy->next;
        free(copy->bytes);
        free(copy);
    }
}
