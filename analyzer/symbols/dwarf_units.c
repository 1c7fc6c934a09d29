/* dwarf_units.c - see dwarf_units.h. */
#include "dwarf_units.h"

#include <dwarf.h>
#include <stdlib.h>

#include "string_pool.h"

/* A linker that drops a function leaves its DWARF and writes 0 or 1 for its address. */
enum { DROPPED_CODE = 1 };

static void add_ranges(struct range_table *table, Dwarf_Die *die, uint32_t owner)
{
    Dwarf_Addr base, low, high;
    ptrdiff_t offset = 0;
    while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0)
        if (low > DROPPED_CODE)
            range_table_add(table, low, high, owner);
}

static void add_unit(struct dwarf_units *units, const Dwarf_Die *die, const Dwarf_Die *split)
{
    uint32_t index = (uint32_t)units->count;
    units->items =
        symbol_array_grow(units->items, units->count, &units->capacity, sizeof *units->items);
    units->items[units->count++] =
        (struct dwarf_unit){.die = *die, .tree = split->addr ? *split : *die};
    add_ranges(&units->ranges, &units->items[index].die, index);
}

/* Where no unit names ranges of its own (some assemblers' do not), .debug_aranges may have them. */
static void add_listed_ranges(struct dwarf_units *units)
{
    Dwarf_Aranges *listed;
    size_t count;
    if (dwarf_getaranges(units->dwarf, &listed, &count) != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        Dwarf_Addr low;
        Dwarf_Word length;
        Dwarf_Off offset;
        Dwarf_Arange *one = dwarf_onearange(listed, i);
        if (!one || dwarf_getarangeinfo(one, &low, &length, &offset) != 0 || low <= DROPPED_CODE)
            continue;
        for (uint32_t unit = 0; unit < units->count; unit++)
            if (dwarf_dieoffset(&units->items[unit].die) == offset)
                range_table_add(&units->ranges, low, low + length, unit);
    }
}

void dwarf_units_open(struct dwarf_units *units, Dwarf *dwarf)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die die, split;
    uint8_t type;
    *units = (struct dwarf_units){.dwarf = dwarf};
    while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, &split) == 0)
        if (type == DW_UT_compile || type == DW_UT_skeleton) {
            add_unit(units, &die, &split);
            units->missing_split |= type == DW_UT_skeleton && !split.addr;
        }
    if (units->ranges.count == 0)
        add_listed_ranges(units);
    range_table_finish(&units->ranges);
}

void dwarf_units_close(struct dwarf_units *units)
{
    for (size_t i = 0; i < units->count; i++) {
        free(units->items[i].functions);
        range_table_clear(&units->items[i].function_ranges);
    }
    free(units->items);
    range_table_clear(&units->ranges);
}

struct dwarf_unit *dwarf_units_find(struct dwarf_units *units, uint64_t address)
{
    uint32_t index = range_table_find(&units->ranges, address);
    return index == RANGE_NONE ? NULL : &units->items[index];
}

static void add_function(struct dwarf_unit *unit, Dwarf_Die *die)
{
    size_t index = unit->function_count;
    size_t ranges = unit->function_ranges.count;
    add_ranges(&unit->function_ranges, die, (uint32_t)index);
    if (unit->function_ranges.count == ranges)
        return; /* a declaration, or the abstract one of an inlined function */
    unit->functions = symbol_array_grow(unit->functions, index, &unit->function_capacity,
                                        sizeof *unit->functions);
    unit->functions[unit->function_count++] = *die;
}

/* Functions may lie in namespaces, types (Rust) and functions (nested ones of GNU C, Ada's). */
static bool may_hold_functions(int tag)
{
    switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_interface_type:
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
        return true;
    default:
        return false;
    }
}

static void collect_functions(struct dwarf_unit *unit, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (depth > DWARF_DEPTH_LIMIT || dwarf_child(parent, &child) != 0)
        return;
    do {
        int tag = dwarf_tag(&child);
        if (tag == DW_TAG_subprogram)
            add_function(unit, &child);
        if (may_hold_functions(tag))
            collect_functions(unit, &child, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
}

Dwarf_Die *dwarf_unit_function(struct dwarf_unit *unit, uint64_t address)
{
    if (!unit->indexed) {
        collect_functions(unit, &unit->tree, 0);
        range_table_finish(&unit->function_ranges);
        unit->indexed = true;
    }
    uint32_t index = range_table_find(&unit->function_ranges, address);
    return index == RANGE_NONE ? NULL : &unit->functions[index];
}
