/* elf_load.c - see elf_load.h. */
#include "elf_load.h"
#include "elf_strings.h"

#include <dlfcn.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

typedef Elf *elf_begin_function(int fd, Elf_Cmd command, Elf *reference);
typedef int elf_end_function(Elf *elf);

static Elf *next_begin(int fd, Elf_Cmd command, Elf *reference)
{
    static elf_begin_function *next;
    if (!next)
        next = (elf_begin_function *)dlsym(RTLD_NEXT, "elf_begin");
    return next ? next(fd, command, reference) : NULL;
}

/* libdw opens the .dwo files of split DWARF by itself, and would map them, and trust them. This
 * function and the next one override libelf's in the whole process, libdw included. */
Elf *elf_begin(int fd, Elf_Cmd command, Elf *reference)
{
    Elf *elf = next_begin(fd, command == ELF_C_READ_MMAP ? ELF_C_READ : command, reference);
    if (elf)
        elf_end_all_strings(elf);
    return elf;
}

int elf_end(Elf *elf)
{
    static elf_end_function *next;
    if (!next)
        next = (elf_end_function *)dlsym(RTLD_NEXT, "elf_end");
    int references = next ? next(elf) : 0;
    if (references == 0)
        elf_strings_forget(elf);
    return references;
}

Elf *elf_open_reading(int fd)
{
    elf_version(EV_CURRENT);
    return next_begin(fd, ELF_C_READ, NULL);
}

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* ".debug_info" for ".zdebug_info", which is what old linkers called a compressed one. */
static bool is_listed(const char *name, const char *const *list)
{
    char plain[32];
    if (name[0] != '.' || name[1] != 'z' || strlen(name) > sizeof plain)
        return is_one_of(name, list);
    plain[0] = '.';
    strcpy(plain + 1, name + 2);
    return is_one_of(plain, list);
}

enum part { PART_NONE, PART_SYMBOLS, PART_DWARF, PART_IGNORED };

static enum part part_of(const char *name, const GElf_Shdr *header)
{
    static const char *const dwarf[] = {
        ".debug_info",        ".debug_types",      ".debug_abbrev",
        ".debug_addr",        ".debug_aranges",    ".debug_line",
        ".debug_line_str",    ".debug_str",        ".debug_ranges",
        ".debug_str_offsets", ".debug_rnglists",   ".debug_cu_index",
        ".debug_tu_index",    ".gnu_debugaltlink", NULL};
    static const char *const ignored[] = {
        ".debug_loc",          ".debug_loclists", ".debug_macinfo",
        ".debug_macro",        ".debug_pubnames", ".debug_pubtypes",
        ".debug_gnu_pubnames", ".debug_frame",    NULL};
    static const char *const symbols[] = {".gnu_debugdata", ".eh_frame_hdr", NULL};
    if (header->sh_type == SHT_NOBITS)
        return PART_NONE;
    if (header->sh_type == SHT_SYMTAB || header->sh_type == SHT_DYNSYM || is_one_of(name, symbols))
        return PART_SYMBOLS;
    if (is_listed(name, dwarf))
        return PART_DWARF;
    return is_listed(name, ignored) ? PART_IGNORED : PART_NONE;
}

/* What the section takes in memory: a compressed one counts in both forms. */
static uint64_t memory_of(Elf_Scn *section, const GElf_Shdr *header)
{
    GElf_Chdr compressed;
    if ((header->sh_flags & SHF_COMPRESSED) && gelf_getchdr(section, &compressed))
        return header->sh_size + compressed.ch_size;
    return header->sh_size;
}

static bool load_section(Elf_Scn *section, uint64_t *bytes)
{
    GElf_Shdr header;
    if (!section || !gelf_getshdr(section, &header) || !elf_rawdata(section, NULL))
        return false;
    *bytes += memory_of(section, &header);
    return true;
}

/* To libdw a section without contents does not exist. */
static void empty_section(Elf_Scn *section, GElf_Shdr *header)
{
    header->sh_type = SHT_NOBITS;
    gelf_update_shdr(section, header);
}

struct sections {
    Elf *elf;
    size_t names; /* the section with the sections' names */
};

static enum part part_at(const struct sections *s, Elf_Scn *section, GElf_Shdr *header)
{
    if (!gelf_getshdr(section, header))
        return PART_NONE;
    const char *name = elf_strptr(s->elf, s->names, header->sh_name);
    return name ? part_of(name, header) : PART_NONE;
}

uint64_t elf_memory_room(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && page_bytes > 0 ? (uint64_t)pages / 2 * (uint64_t)page_bytes : UINT64_MAX;
}

/* Goes by the section headers, so a file of any size costs nothing; a compressed section's own
 * header is read too. */
static bool dwarf_fits_memory(const struct sections *s)
{
    uint64_t room = elf_memory_room();
    GElf_Shdr header;
    for (Elf_Scn *at = elf_nextscn(s->elf, NULL); at; at = elf_nextscn(s->elf, at)) {
        if (part_at(s, at, &header) != PART_DWARF)
            continue;
        if (header.sh_size > room || memory_of(at, &header) > room)
            return false;
        room -= memory_of(at, &header);
    }
    return true;
}

/* The section headers are mostly a file's last bytes, so a cut file lacks them. */
static bool has_all_headers(Elf *elf)
{
    GElf_Ehdr header;
    size_t count;
    if (!gelf_getehdr(elf, &header) || elf_getshdrnum(elf, &count) != 0)
        return false;
    return header.e_shoff == 0 || (count > 0 && elf_getscn(elf, count - 1));
}

static bool end_strings(const struct sections *s, Elf_Scn *section, const GElf_Shdr *header)
{
    const char *name = elf_strptr(s->elf, s->names, header->sh_name);
    return !name || elf_end_strings(s->elf, section, name);
}

bool elf_load(Elf *elf, bool dwarf, uint64_t *bytes)
{
    struct sections s = {.elf = elf};
    GElf_Shdr header;
    bool whole = has_all_headers(elf) && elf_getshdrstrndx(elf, &s.names) == 0;
    *bytes = 0;
    dwarf = dwarf && whole && dwarf_fits_memory(&s);
    for (Elf_Scn *at = elf_nextscn(elf, NULL); at && whole; at = elf_nextscn(elf, at)) {
        enum part part = part_at(&s, at, &header);
        if (part == PART_SYMBOLS || (part == PART_DWARF && dwarf))
            whole = load_section(at, bytes) && end_strings(&s, at, &header);
        else if (part == PART_DWARF || part == PART_IGNORED)
            empty_section(at, &header);
        if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
            whole = whole && load_section(elf_getscn(elf, header.sh_link), bytes);
    }
    return whole;
}
