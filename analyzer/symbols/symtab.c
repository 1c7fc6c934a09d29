/* symtab.c - see symtab.h. */
#include "symtab.h"

#include <gelf.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clone_suffix.h"
#include "elf_files.h"
#include "range_table.h"
#include "string_pool.h"

enum {
    MINIDEBUGINFO_LIMIT = 256 << 20, /* unpacked; the largest known are some MiB */
    COMPARED_BYTES = 8192            /* of two names at one address */
};

struct symbol {
    uint64_t value, size;
    uint64_t section_end;
    const char *name;
    unsigned char type, binding;
    bool full; /* from a table that also has the local functions */
};

/* sized: owners are symbols with a size; labels: those without. Both are indexes into names, which
 * point into the string tables themselves: a file may have many symbols with long names, of which
 * few are asked for. */
struct symbol_table {
    struct range_table sized, labels;
    const char **names;
    uint64_t *values; /* where each symbol begins */
    bool *locals;     /* which are static functions */
    size_t count;
    uint64_t *hashes; /* of the names, sorted; NULL until one is asked for */
    size_t hash_count;
    bool is_go;
    Elf *unpacked; /* of .gnu_debugdata, or NULL */
    char *unpacked_bytes;
    char *found; /* the name that was asked for last */
};

struct symbol_list {
    struct symbol *items;
    size_t count, capacity;
};

/* Go's own names have dots, main.cold among them. */
static bool is_go(Elf *elf)
{
    return elf &&
           (elf_section_by_name(elf, ".gopclntab") || elf_section_by_name(elf, ".go.buildinfo"));
}

/* The name's length without "@@VERSION" and what a compiler has appended. */
static size_t plain_length(const struct symbol_table *table, const char *name)
{
    size_t length = strcspn(name, "@");
    if (length == 0)
        return strlen(name);
    return table->is_go ? length : length_without_clone(name, length);
}

/* The end of the executable section that the symbol is in, 0 if it is in none. */
static uint64_t code_section_end(Elf *elf, const GElf_Sym *symbol)
{
    GElf_Shdr header;
    if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE)
        return 0;
    Elf_Scn *section = elf_getscn(elf, symbol->st_shndx);
    if (!section || !gelf_getshdr(section, &header) || !(header.sh_flags & SHF_EXECINSTR))
        return 0;
    if (symbol->st_value < header.sh_addr || symbol->st_value >= header.sh_addr + header.sh_size)
        return 0;
    return header.sh_addr + header.sh_size;
}

/* "$x", "$d" and "$x.5" on machines that mark code and data within it like this. */
static bool is_mapping_symbol(Elf *elf, const char *name)
{
    GElf_Ehdr header;
    if (name[0] != '$' || !gelf_getehdr(elf, &header))
        return false;
    return header.e_machine == EM_ARM || header.e_machine == EM_AARCH64 ||
           header.e_machine == EM_RISCV || header.e_machine == EM_CSKY;
}

static bool names_a_function(Elf *elf, const GElf_Sym *symbol, const char *name)
{
    unsigned char type = GELF_ST_TYPE(symbol->st_info);
    if (!name || !*name)
        return false;
    if (type == STT_NOTYPE) /* an assembler's label begins with a dot */
        return name[0] != '.' && !is_mapping_symbol(elf, name);
    return type == STT_FUNC || type == STT_GNU_IFUNC;
}

static void add_symbols(struct symbol_list *list, Elf *elf, Elf_Scn *section, bool full)
{
    GElf_Shdr header;
    Elf_Data *data = elf_getdata(section, NULL);
    size_t entry = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (!data || !entry || !gelf_getshdr(section, &header))
        return;
    for (size_t i = 1; i < data->d_size / entry && i < INT32_MAX; i++) {
        GElf_Sym symbol;
        if (!gelf_getsym(data, (int)i, &symbol))
            return;
        const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
        uint64_t section_end = code_section_end(elf, &symbol);
        if (!section_end || !names_a_function(elf, &symbol, name))
            continue;
        list->items =
            symbol_array_grow(list->items, list->count, &list->capacity, sizeof *list->items);
        list->items[list->count++] = (struct symbol){.value = symbol.st_value,
                                                     .size = symbol.st_size,
                                                     .section_end = section_end,
                                                     .name = name,
                                                     .type = GELF_ST_TYPE(symbol.st_info),
                                                     .binding = GELF_ST_BIND(symbol.st_info),
                                                     .full = full};
    }
}

static Elf_Scn *section_of_type(Elf *elf, GElf_Word type)
{
    GElf_Shdr header;
    for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section))
        if (gelf_getshdr(section, &header) && header.sh_type == type)
            return section;
    return NULL;
}

/* Unpacks an xz stream; NULL where it is damaged or larger than the limit. */
static void *unpack_xz(const void *packed, size_t packed_bytes, size_t *bytes)
{
    lzma_stream stream = LZMA_STREAM_INIT;
    size_t room = packed_bytes * 4 + 4096;
    unsigned char *memory = NULL;
    lzma_ret result = lzma_stream_decoder(&stream, MINIDEBUGINFO_LIMIT, 0);
    stream.next_in = packed;
    stream.avail_in = packed_bytes;
    while (result == LZMA_OK && stream.total_out < MINIDEBUGINFO_LIMIT) {
        room *= memory ? 2 : 1;
        memory = symbol_array_resize(memory, room, 1);
        stream.next_out = memory + stream.total_out;
        stream.avail_out = room - stream.total_out;
        result = lzma_code(&stream, LZMA_FINISH);
    }
    *bytes = stream.total_out;
    lzma_end(&stream);
    if (result == LZMA_STREAM_END)
        return memory;
    free(memory);
    return NULL;
}

/* False where there is no usable .gnu_debugdata. */
static bool add_minidebuginfo(struct symbol_list *list, Elf *main, struct symbol_table *table)
{
    Elf_Scn *section = elf_section_by_name(main, ".gnu_debugdata");
    Elf_Data *packed = section ? elf_rawdata(section, NULL) : NULL;
    size_t bytes = 0;
    if (packed && packed->d_buf)
        table->unpacked_bytes = unpack_xz(packed->d_buf, packed->d_size, &bytes);
    if (table->unpacked_bytes)
        table->unpacked = elf_memory(table->unpacked_bytes, bytes);
    Elf_Scn *symtab = table->unpacked ? section_of_type(table->unpacked, SHT_SYMTAB) : NULL;
    if (symtab)
        add_symbols(list, table->unpacked, symtab, true);
    return symtab != NULL;
}

static void collect_symbols(struct symbol_list *list, Elf *main, Elf *debug,
                            struct symbol_table *table)
{
    Elf_Scn *symtab = section_of_type(main, SHT_SYMTAB);
    if (symtab) {
        add_symbols(list, main, symtab, true);
        return;
    }
    symtab = debug ? section_of_type(debug, SHT_SYMTAB) : NULL;
    if (symtab) {
        add_symbols(list, debug, symtab, true);
        return;
    }
    bool full = add_minidebuginfo(list, main, table);
    Elf_Scn *dynsym = section_of_type(main, SHT_DYNSYM);
    if (dynsym)
        add_symbols(list, main, dynsym, full);
}

static size_t leading_underscores(const char *name)
{
    size_t count = 0;
    while (count < COMPARED_BYTES && name[count] == '_')
        count++;
    return count;
}

/* Orders the names of one address; the first is shown. It has a size, is a function, is not local,
 * and is the one a programmer would write (malloc, not __libc_malloc). */
static int compare_names(const struct symbol *x, const struct symbol *y)
{
    int by_size = (y->size != 0) - (x->size != 0);
    int by_type = (x->type == STT_NOTYPE) - (y->type == STT_NOTYPE);
    int by_binding = (x->binding == STB_LOCAL) - (y->binding == STB_LOCAL);
    size_t dashes_x = leading_underscores(x->name), dashes_y = leading_underscores(y->name);
    if (by_size || by_type || by_binding)
        return by_size ? by_size : by_type ? by_type : by_binding;
    if (dashes_x != dashes_y)
        return dashes_x < dashes_y ? -1 : 1;
    size_t length_x = strnlen(x->name, COMPARED_BYTES), length_y = strnlen(y->name, COMPARED_BYTES);
    if (length_x != length_y)
        return length_x < length_y ? -1 : 1;
    return strncmp(x->name, y->name, COMPARED_BYTES);
}

static int compare_symbols(const void *a, const void *b)
{
    const struct symbol *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return compare_names(x, y);
}

/* Sorts by address and keeps the best name of each address. */
static void keep_best_names(struct symbol_list *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare_symbols);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || list->items[kept - 1].value != list->items[i].value)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static void fill_ranges(struct symbol_table *table, const struct symbol_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct symbol *symbol = &list->items[i];
        uint64_t end = symbol->section_end;
        if (i + 1 < list->count && symbol[1].value < end)
            end = symbol[1].value;
        table->names[i] = symbol->name;
        table->values[i] = symbol->value;
        table->locals[i] = symbol->binding == STB_LOCAL;
        if (symbol->size)
            range_table_add(&table->sized, symbol->value, symbol->value + symbol->size,
                            (uint32_t)i);
        else if (symbol->full)
            range_table_add(&table->labels, symbol->value, end, (uint32_t)i);
    }
    range_table_finish(&table->sized);
    range_table_finish(&table->labels);
}

struct symbol_table *symbol_table_new(Elf *main, Elf *debug)
{
    struct symbol_table *table = symbol_array_resize(NULL, 1, sizeof *table);
    struct symbol_list list = {0};
    *table = (struct symbol_table){0};
    collect_symbols(&list, main, debug, table);
    keep_best_names(&list);
    table->is_go = is_go(main);
    table->count = list.count;
    table->names = symbol_array_resize(NULL, list.count, sizeof *table->names);
    table->values = symbol_array_resize(NULL, list.count, sizeof *table->values);
    table->locals = symbol_array_resize(NULL, list.count, sizeof *table->locals);
    fill_ranges(table, &list);
    free(list.items);
    return table;
}

void symbol_table_free(struct symbol_table *table)
{
    if (!table)
        return;
    range_table_clear(&table->sized);
    range_table_clear(&table->labels);
    free(table->names);
    free(table->values);
    free(table->locals);
    free(table->hashes);
    elf_end(table->unpacked);
    free(table->unpacked_bytes);
    free(table->found);
    free(table);
}

/* ---- several functions of one name ---- */

static uint64_t hash_name(const char *name, size_t bytes)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
    return hash;
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Only of names that are whole: a function and its pieces share one. */
static void hash_all(struct symbol_table *table)
{
    size_t kept = 0;
    table->hashes = symbol_array_resize(NULL, table->count, sizeof *table->hashes);
    for (size_t i = 0; i < table->count; i++) {
        size_t bytes = strcspn(table->names[i], "@");
        if (plain_length(table, table->names[i]) == bytes)
            table->hashes[kept++] = hash_name(table->names[i], bytes);
    }
    table->hash_count = kept;
    if (kept)
        qsort(table->hashes, kept, sizeof *table->hashes, compare_hashes);
}

static bool is_ambiguous(struct symbol_table *table, const char *plain)
{
    uint64_t hash = hash_name(plain, strlen(plain));
    size_t low = 0, high;
    if (!table->hashes)
        hash_all(table);
    for (high = table->hash_count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (table->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low + 1 < table->hash_count && table->hashes[low] == hash &&
           table->hashes[low + 1] == hash;
}

bool symbol_table_find(struct symbol_table *table, uint64_t address, struct found_symbol *found)
{
    uint32_t owner = range_table_find(&table->sized, address);
    if (owner == RANGE_NONE)
        owner = range_table_find(&table->labels, address);
    if (owner == RANGE_NONE)
        return false;
    const char *name = table->names[owner];
    size_t bytes = plain_length(table, name);
    free(table->found);
    table->found = strndup(name, bytes);
    *found = (struct found_symbol){.name = table->found ? table->found : "",
                                   .address = table->values[owner],
                                   .is_ambiguous = table->found && table->locals[owner] &&
                                                   is_ambiguous(table, table->found),
                                   .is_whole = bytes == strcspn(name, "@")};
    return true;
}
