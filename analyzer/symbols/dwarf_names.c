/* dwarf_names.c - see dwarf_names.h. */
#include "dwarf_names.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "shorten.h"
#include "symbols.h"

enum { FIRST_SLOTS = 256, ORIGIN_LIMIT = 16, NAME_BYTES = 1024 };

void dwarf_names_open(struct dwarf_names *names, struct string_pool *pool)
{
    size_t bytes = FIRST_SLOTS * sizeof *names->slots;
    *names = (struct dwarf_names){.pool = pool, .slot_count = FIRST_SLOTS};
    names->slots = memset(symbol_array_resize(NULL, bytes, 1), 0, bytes);
}

void dwarf_names_close(struct dwarf_names *names)
{
    free(names->slots);
}

/* The length of the path's first `length` bytes without the last folder; SIZE_MAX where there is
 * none to drop, or it is "..". */
static size_t without_last_folder(const char *path, size_t length)
{
    size_t at = length;
    while (at > 0 && path[at - 1] != '/')
        at--;
    if (at == 0 || strncmp(path + at, "..", length - at) == 0)
        return SIZE_MAX;
    return at - 1;
}

/* Writes the path without "//", "/./" and "x/../" to clean, which has room for it all. */
static void clean_path(char *clean, const char *path)
{
    size_t length = 0, shorter;
    bool absolute = path[0] == '/';
    while (*path) {
        size_t part = strcspn(path, "/");
        bool up = part == 2 && strncmp(path, "..", 2) == 0;
        bool here = part == 0 || (part == 1 && path[0] == '.');
        if (up && (shorter = without_last_folder(clean, length)) != SIZE_MAX) {
            length = shorter;
        } else if (!here) {
            if (length > 0 || absolute)
                clean[length++] = '/';
            memcpy(clean + length, path, part);
            length += part;
        }
        path += part + (path[part] == '/');
    }
    clean[length] = '\0';
}

/* The folder that the compiler ran in; "" unknown. */
static const char *folder_of_unit(Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    const char *folder = NULL;
    if (dwarf_attr_integrate(unit, DW_AT_comp_dir, &attribute))
        folder = dwarf_formstring(&attribute);
    return folder ? folder : "";
}

const char *dwarf_names_path(struct dwarf_names *names, Dwarf_Die *unit, const char *path)
{
    const char *folder = path[0] == '/' ? "" : folder_of_unit(unit);
    size_t folder_bytes = strlen(folder), bytes = folder_bytes + 1 + strlen(path) + 1;
    char *whole = symbol_array_resize(NULL, bytes, 2), *clean = whole + bytes;
    stpcpy(stpcpy(stpcpy(whole, folder), folder_bytes ? "/" : ""), path);
    clean_path(clean, whole);
    char *bounded = shorten(clean, strlen(clean), PATH_BYTES_MAX);
    const char *kept = string_pool_keep(names->pool, bounded ? bounded : "");
    free(bounded);
    free(whole);
    return kept;
}

const char *dwarf_names_file(struct dwarf_names *names, Dwarf_Attribute *attribute)
{
    Dwarf_Word index;
    Dwarf_Die unit;
    Dwarf_Files *files;
    size_t count;
    uint8_t address_bytes, offset_bytes;
    if (dwarf_formudata(attribute, &index) != 0)
        return "";
    if (!dwarf_cu_die(attribute->cu, &unit, NULL, NULL, &address_bytes, &offset_bytes, NULL, NULL))
        return "";
    if (dwarf_getsrcfiles(&unit, &files, &count) != 0 || index >= count)
        return "";
    const char *path = dwarf_filesrc(files, index, NULL, NULL);
    /* Before DWARF 5 number 0 means no file; libdw keeps "???" there. */
    if (!path || strcmp(path, "???") == 0)
        return "";
    return dwarf_names_path(names, &unit, path);
}

/* Follows a concrete or inlined function's abstract_origin chain to its end. */
static void follow_origin(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die origin;
    for (int i = 0; i < ORIGIN_LIMIT; i++) {
        if (!dwarf_attr(die, DW_AT_abstract_origin, &attribute) ||
            !dwarf_formref_die(&attribute, &origin))
            return;
        *die = origin;
    }
}

/* Goes to the declaration inside the class or namespace, for a function defined outside of it. */
static void follow_specification(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Die declaration;
    if (dwarf_attr(die, DW_AT_specification, &attribute) &&
        dwarf_formref_die(&attribute, &declaration))
        *die = declaration;
}

/* Puts "scope::" before the text; what does not fit is left out. */
static void prepend_scope(char *text, size_t room, const char *scope)
{
    size_t scope_length = strlen(scope), length = strlen(text);
    if (scope_length + 2 + length >= room)
        return;
    memmove(text + scope_length + 2, text, length + 1);
    memcpy(text, scope, scope_length);
    memcpy(text + scope_length, "::", 2);
}

/* The DIE's own name with its namespaces and types; `scopes` has the innermost first. */
static const char *qualify(struct dwarf_names *names, Dwarf_Die *scopes, int count,
                           const char *plain)
{
    char text[NAME_BYTES];
    if (strlen(plain) >= sizeof text)
        return plain;
    strcpy(text, plain);
    for (int i = 1; i < count; i++) {
        const char *scope = dwarf_diename(&scopes[i]);
        switch (dwarf_tag(&scopes[i])) {
        case DW_TAG_namespace:
            prepend_scope(text, sizeof text, scope ? scope : "(anonymous namespace)");
            break;
        case DW_TAG_class_type:
        case DW_TAG_structure_type:
        case DW_TAG_union_type:
        case DW_TAG_enumeration_type:
            if (scope)
                prepend_scope(text, sizeof text, scope);
            break;
        default: /* units, blocks, and functions, which addr2line does not name either */
            break;
        }
    }
    return string_pool_keep(names->pool, text);
}

static bool has_scopes(Dwarf_Die *die)
{
    Dwarf_Die unit;
    if (!dwarf_diecu(die, &unit, NULL, NULL))
        return false;
    switch (dwarf_srclang(&unit)) {
    case DW_LANG_C:
    case DW_LANG_C89:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case DW_LANG_Mips_Assembler:
        return false;
    default:
        return true;
    }
}

/* An external function directly in a namespace, without a linkage name, is extern "C". */
static bool is_extern_c(Dwarf_Die *scopes, int count)
{
    return count > 1 && dwarf_tag(&scopes[1]) == DW_TAG_namespace &&
           dwarf_hasattr_integrate(&scopes[0], DW_AT_external);
}

/* Keeps the name, shortened to its bound. */
static const char *keep_name(struct dwarf_names *names, const char *name, bool *shortened)
{
    size_t bytes = strlen(name);
    char *bounded = shorten(name, bytes, NAME_BYTES_MAX);
    const char *kept = string_pool_keep(names->pool, bounded ? bounded : "");
    free(bounded);
    *shortened = bytes > NAME_BYTES_MAX;
    return kept;
}

static const char *own_name(struct dwarf_names *names, Dwarf_Die die, bool *shortened)
{
    Dwarf_Die *scopes = NULL;
    follow_specification(&die);
    const char *plain = dwarf_diename(&die);
    if (!plain || !*plain)
        return NULL;
    if (!has_scopes(&die))
        return keep_name(names, plain, shortened);
    int count = dwarf_getscopes_die(&die, &scopes);
    bool c_name = is_extern_c(scopes, count);
    const char *name = qualify(names, scopes, c_name ? 1 : count, plain);
    free(scopes);
    return keep_name(names, name, shortened);
}

/* The linkage name where it is a mangled one. A C function may have one too (glibc's abort has
 * "__GI_abort"): there the DIE's own name is what people know. */
static const char *linkage_name(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    const char *name = NULL;
    if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
        dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
        name = dwarf_formstring(&attribute);
    return name && (strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0) ? name : NULL;
}

static void describe(struct dwarf_names *names, Dwarf_Die *concrete, Dwarf_Die *abstract,
                     struct described_function *out)
{
    Dwarf_Attribute attribute;
    Dwarf_Word line;
    const char *mangled = linkage_name(concrete);
    if (mangled) {
        char *text = demangle(mangled, &out->shortened);
        out->function = string_pool_keep(names->pool, text ? text : mangled);
        free(text);
        out->mangled_name = true;
    } else {
        out->function = own_name(names, *abstract, &out->shortened);
    }
    out->declared_file = "";
    if (dwarf_attr_integrate(abstract, DW_AT_decl_file, &attribute))
        out->declared_file = dwarf_names_file(names, &attribute);
    if (dwarf_attr_integrate(abstract, DW_AT_decl_line, &attribute) &&
        dwarf_formudata(&attribute, &line) == 0)
        out->declared_line = (uint32_t)line;
}

static struct described_function *find_slot(struct described_function *slots, size_t slot_count,
                                            const void *key)
{
    uint64_t hash = (uint64_t)(uintptr_t)key * 0x9e3779b97f4a7c15;
    size_t at = hash >> 32 & (slot_count - 1);
    while (slots[at].key && slots[at].key != key)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static void double_slots(struct dwarf_names *names)
{
    size_t bigger = names->slot_count * 2, bytes = bigger * sizeof *names->slots;
    struct described_function *slots = memset(symbol_array_resize(NULL, bytes, 1), 0, bytes);
    for (size_t i = 0; i < names->slot_count; i++)
        if (names->slots[i].key)
            *find_slot(slots, bigger, names->slots[i].key) = names->slots[i];
    free(names->slots);
    names->slots = slots;
    names->slot_count = bigger;
}

struct described_function dwarf_names_describe(struct dwarf_names *names, Dwarf_Die *function)
{
    Dwarf_Die abstract = *function;
    follow_origin(&abstract);
    /* A concrete constructor has a linkage name (C1, C2) that its abstract DIE may not have. */
    const void *key = linkage_name(&abstract) ? abstract.addr : function->addr;
    struct described_function *slot = find_slot(names->slots, names->slot_count, key);
    if (slot->key)
        return *slot;
    slot->key = key;
    describe(names, function, &abstract, slot);
    struct described_function result = *slot;
    if (++names->used * 2 > names->slot_count)
        double_slots(names);
    return result;
}
