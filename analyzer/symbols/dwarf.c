/* dwarf.c - see dwarf_lookup.h. */
#include "dwarf_lookup.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "dwarf_names.h"
#include "dwarf_units.h"

struct dwarf_lookup {
    Dwarf *dwarf, *alternate; /* alternate: NULL if none */
    struct dwarf_units units;
    struct dwarf_names names;
};

/* Inlined functions around an address, outermost first. */
struct inlined_chain {
    Dwarf_Die items[DWARF_DEPTH_LIMIT];
    size_t count;
};

struct dwarf_lookup *dwarf_lookup_new(Elf *elf, Elf *alternate, struct string_pool *pool)
{
    symbol_memory_probe();
    Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    if (!dwarf)
        return NULL;
    struct dwarf_lookup *lookup = symbol_array_resize(NULL, 1, sizeof *lookup);
    lookup->dwarf = dwarf;
    lookup->alternate = alternate ? dwarf_begin_elf(alternate, DWARF_C_READ, NULL) : NULL;
    if (lookup->alternate) /* libdw would keep open the file that it finds itself */
        dwarf_setalt(dwarf, lookup->alternate);
    dwarf_units_open(&lookup->units, dwarf);
    dwarf_names_open(&lookup->names, pool);
    return lookup;
}

bool dwarf_lookup_has_units(const struct dwarf_lookup *lookup)
{
    return lookup->units.count > 0;
}

bool dwarf_lookup_misses_split(const struct dwarf_lookup *lookup)
{
    return lookup->units.missing_split;
}

void dwarf_lookup_free(struct dwarf_lookup *lookup)
{
    if (!lookup)
        return;
    dwarf_units_close(&lookup->units);
    dwarf_names_close(&lookup->names);
    dwarf_end(lookup->dwarf);
    dwarf_end(lookup->alternate);
    free(lookup);
}

static bool is_block(int tag)
{
    return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* A block without code of its own may still have inlined calls in it. */
static bool covers(Dwarf_Die *die, int tag, uint64_t address)
{
    int has = dwarf_haspc(die, address);
    if (has > 0)
        return true;
    return is_block(tag) && !dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges);
}

/* Adds the inlined functions at the address below `parent`; true if there was one. */
static bool find_inlined(Dwarf_Die *parent, uint64_t address, struct inlined_chain *chain,
                         int depth)
{
    Dwarf_Die child;
    if (depth >= DWARF_DEPTH_LIMIT || dwarf_child(parent, &child) != 0)
        return false;
    do {
        int tag = dwarf_tag(&child);
        bool inlined = tag == DW_TAG_inlined_subroutine;
        if (!inlined && !is_block(tag))
            continue;
        if (!covers(&child, tag, address))
            continue;
        if (inlined)
            chain->items[chain->count++] = child;
        if (find_inlined(&child, address, chain, depth + 1) || inlined)
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

static struct symbol_frame *add_frame(struct dwarf_chain *chain)
{
    chain->frames =
        symbol_array_grow(chain->frames, chain->count, &chain->capacity, sizeof *chain->frames);
    struct symbol_frame *frame = &chain->frames[chain->count++];
    *frame = (struct symbol_frame){.declared_file = "", .file = ""};
    return frame;
}

static void set_executing_line(struct dwarf_lookup *lookup, struct dwarf_unit *unit,
                               uint64_t address, struct symbol_frame *frame)
{
    int line = 0;
    Dwarf_Line *entry = dwarf_getsrc_die(&unit->die, address);
    const char *path = entry ? dwarf_linesrc(entry, NULL, NULL) : NULL;
    if (!path)
        return;
    frame->file = dwarf_names_path(&lookup->names, &unit->die, path);
    if (dwarf_lineno(entry, &line) == 0 && line > 0)
        frame->line = (uint32_t)line;
}

static void set_call_line(struct dwarf_lookup *lookup, Dwarf_Die *inlined,
                          struct symbol_frame *frame)
{
    Dwarf_Attribute attribute;
    Dwarf_Word line;
    if (dwarf_attr(inlined, DW_AT_call_file, &attribute))
        frame->file = dwarf_names_file(&lookup->names, &attribute);
    if (dwarf_attr(inlined, DW_AT_call_line, &attribute) && dwarf_formudata(&attribute, &line) == 0)
        frame->line = (uint32_t)line;
}

static bool set_function(struct dwarf_lookup *lookup, Dwarf_Die *function,
                         struct symbol_frame *frame)
{
    struct described_function known = dwarf_names_describe(&lookup->names, function);
    frame->function = known.function;
    frame->shortened = known.shortened;
    frame->declared_file = known.declared_file;
    frame->declared_line = known.declared_line;
    return known.mangled_name;
}

/* Of a function in several pieces the first one counts: compilers put the cold one last. */
static uint64_t begin_of(Dwarf_Die *function)
{
    Dwarf_Addr base, begin, end;
    return dwarf_ranges(function, 0, &base, &begin, &end) > 0 ? begin : 0;
}

void dwarf_lookup_find(struct dwarf_lookup *lookup, uint64_t address, struct dwarf_chain *chain)
{
    struct inlined_chain inlined;
    inlined.count = 0;
    chain->count = 0;
    chain->mangled_name = false;
    struct dwarf_unit *unit = dwarf_units_find(&lookup->units, address);
    if (!unit)
        return;
    struct symbol_frame *frame = add_frame(chain);
    set_executing_line(lookup, unit, address, frame);
    Dwarf_Die *function = dwarf_unit_function(unit, address);
    if (!function)
        return;
    find_inlined(function, address, &inlined, 0);
    for (size_t i = inlined.count; i-- > 0;) {
        set_function(lookup, &inlined.items[i], frame);
        if (!frame->function)
            frame->function = "(inlined)";
        frame = add_frame(chain);
        set_call_line(lookup, &inlined.items[i], frame);
    }
    chain->mangled_name = set_function(lookup, function, frame);
    frame->begin = begin_of(function);
}
