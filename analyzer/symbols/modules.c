/* modules.c - the symbolizer itself: its objects, each read once, and what was resolved in them. */
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dwarf_gap.h"
#include "dwarf_lookup.h"
#include "elf_files.h"
#include "elf_load.h"
#include "function_starts.h"
#include "identity.h"
#include "string_pool.h"
#include "symbols.h"
#include "symtab.h"

enum { FIRST_SLOTS = 64, BUILD_ID_LIMIT = 64 };

/* One address that was asked for. frames NULL: an empty slot. */
struct resolved {
    uint64_t address;
    const struct symbol_frame *frames;
    size_t count;
};

/* slots: open addressing, a power of two, at most half full. */
struct symbol_object {
    struct symbol_object *next;
    struct symbol_identity identity;
    uint8_t build_id[BUILD_ID_LIMIT];
    bool opened;         /* read, as far as it could be; false again once it was let go of */
    enum symbol_gap gap; /* once it was read */
    uint64_t asked;      /* when it was last asked for: a rising number */
    struct stat file;    /* what was at the path when it was read first; zeros: nothing */
    struct elf_files files;
    struct dwarf_lookup *dwarf;   /* NULL without DWARF */
    struct symbol_table *symbols; /* NULL until DWARF was not enough */
    struct resolved *slots;
    size_t slot_count, used;
};

struct symbolizer {
    struct string_pool *pool;
    struct symbol_object *objects;
    uint64_t asked;           /* the number of the object asked for last */
    struct dwarf_chain chain; /* scratch of one lookup */
};

static const struct symbol_frame no_frame;

struct symbolizer *symbolizer_new(void)
{
    struct symbolizer *s = symbol_array_resize(NULL, 1, sizeof *s);
    *s = (struct symbolizer){.pool = string_pool_new()};
    return s;
}

static void close_object(struct symbol_object *object)
{
    dwarf_lookup_free(object->dwarf);
    symbol_table_free(object->symbols);
    if (object->opened)
        elf_files_close(&object->files);
    object->dwarf = NULL;
    object->symbols = NULL;
    object->opened = false;
}

static void free_slots(struct symbol_object *object)
{
    free(object->slots);
    object->slots = NULL;
    object->slot_count = object->used = 0;
}

void symbolizer_free(struct symbolizer *s)
{
    if (!s)
        return;
    for (struct symbol_object *object = s->objects; object; object = object->next) {
        close_object(object);
        free_slots(object);
    }
    free(s->chain.frames);
    string_pool_free(s->pool); /* the objects are in the pool */
    free(s);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static struct stat file_at(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status : (struct stat){0};
}

/* Is there another file at its path now than the one that was read? */
static bool is_replaced(const struct symbol_object *object)
{
    struct stat now = file_at(object->identity.path);
    return object->asked && now.st_ino && !same_file(&object->file, &now);
}

static bool has_build_id_of(const struct symbol_object *object,
                            const struct symbol_identity *identity)
{
    return object->identity.build_id_bytes == identity->build_id_bytes &&
           memcmp(object->build_id, identity->build_id, identity->build_id_bytes) == 0;
}

static bool is_file_of(const struct symbol_identity *a, const struct symbol_identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->file_bytes == b->file_bytes &&
           a->mtime_ns == b->mtime_ns;
}

/* By the build id, if that is telling; else by path and file. */
static bool same_object(const struct symbol_object *object, const struct symbol_identity *identity)
{
    const struct symbol_identity *known = &object->identity;
    if (!has_build_id_of(object, identity) || known->has_facts != identity->has_facts ||
        known->content != identity->content)
        return false;
    if (known->build_id_is_telling && identity->build_id_is_telling)
        return true;
    if (strcmp(known->path, identity->path) != 0)
        return false;
    return known->has_facts ? is_file_of(known, identity) : !is_replaced(object);
}

/* Where nothing was found, tries the same build at another path, or in another process. */
static void take_other_place(struct symbolizer *s, struct symbol_object *object,
                             const struct symbol_identity *identity)
{
    struct symbol_identity *known = &object->identity;
    if (!object->opened || object->files.main.elf ||
        (strcmp(known->path, identity->path) == 0 && known->pid == identity->pid))
        return;
    close_object(object);
    free_slots(object);
    known->path = string_pool_keep(s->pool, identity->path);
    known->pid = identity->pid;
    known->start = identity->start;
    object->gap = SYMBOLS_WHOLE;
    object->asked = 0;
}

/* If several objects have one build id, it tells nothing. */
static bool is_told_by_build_id(struct symbolizer *s, const struct symbol_identity *identity)
{
    bool telling = build_id_is_telling(identity);
    for (struct symbol_object *object = s->objects; object && telling; object = object->next)
        if (has_build_id_of(object, identity) && object->identity.content && identity->content &&
            object->identity.content != identity->content)
            telling = object->identity.build_id_is_telling = false;
    return telling;
}

static struct symbol_object *new_object(struct symbolizer *s,
                                        const struct symbol_identity *identity)
{
    struct symbol_object *object = string_pool_take(s->pool, sizeof *object);
    *object = (struct symbol_object){.next = s->objects, .identity = *identity};
    object->identity.path = string_pool_keep(s->pool, identity->path);
    object->identity.build_id = object->build_id;
    memcpy(object->build_id, identity->build_id, identity->build_id_bytes);
    s->objects = object;
    return object;
}

struct symbol_object *symbolizer_object(struct symbolizer *s,
                                        const struct symbol_identity *identity)
{
    static const uint8_t none[1];
    struct symbol_identity wanted = *identity;
    if (wanted.build_id_bytes > BUILD_ID_LIMIT)
        wanted.build_id_bytes = BUILD_ID_LIMIT;
    if (wanted.build_id_bytes == 0)
        wanted.build_id = none;
    wanted.build_id_is_telling = is_told_by_build_id(s, &wanted);
    for (struct symbol_object *object = s->objects; object; object = object->next)
        if (same_object(object, &wanted)) {
            take_other_place(s, object, &wanted);
            return object;
        }
    return new_object(s, &wanted);
}

enum symbol_gap symbolizer_gap(const struct symbol_object *object)
{
    return object->gap;
}

/* Closes objects while all together do not fit into memory: first those whose last use is longest
 * ago. They are read again when they are needed. */
static void let_go_of_oldest(struct symbolizer *s, const struct symbol_object *but)
{
    struct symbol_object *oldest;
    uint64_t bytes;
    do {
        oldest = NULL;
        bytes = 0;
        for (struct symbol_object *object = s->objects; object; object = object->next) {
            uint64_t own = object->opened ? elf_files_bytes(&object->files) : 0;
            bytes += own;
            if (own && object != but && (!oldest || object->asked < oldest->asked))
                oldest = object;
        }
        if (oldest && bytes > elf_memory_room())
            close_object(oldest);
    } while (oldest && bytes > elf_memory_room());
}

/* When an object is read again, only the file of the first time will do. */
static bool is_same_as_before(const struct symbol_object *object)
{
    return object->identity.build_id_is_telling || !object->files.main.elf ||
           same_file(&object->file, &object->files.main.status);
}

static void read_object(struct symbolizer *s, struct symbol_object *object)
{
    struct elf_files *files = &object->files;
    struct stat at_path = file_at(object->identity.path);
    enum symbol_gap gap = elf_files_open(files, &object->identity);
    object->opened = true;
    if (!object->asked)
        object->file = files->main.elf ? files->main.status : at_path;
    else if (!is_same_as_before(object))
        gap = SYMBOLS_REPLACED;
    if (gap != SYMBOLS_WHOLE) {
        object->gap = gap;
        elf_files_close(files);
    }
    if (!files->main.elf)
        return;
    object->dwarf = dwarf_lookup_new(files->debug.elf ? files->debug.elf : files->main.elf,
                                     files->alternate.elf, s->pool);
    if (object->gap == SYMBOLS_WHOLE)
        object->gap = dwarf_gap(files->debug.elf ? files->debug.elf : files->main.elf,
                                object->dwarf, object->identity.path);
    let_go_of_oldest(s, object);
}

static void open_object(struct symbolizer *s, struct symbol_object *object)
{
    if (!object->opened)
        read_object(s, object);
    object->asked = ++s->asked;
}

/* The tables are read when first needed. */
static bool symbol_at(struct symbol_object *object, uint64_t address, struct found_symbol *found)
{
    if (!object->symbols)
        object->symbols = symbol_table_new(object->files.main.elf, object->files.debug.elf);
    return symbol_table_find(object->symbols, address, found);
}

/* Where nothing else distinguishes it from others of that name, the address does: parse@0x1180. */
static void set_demangled(struct symbolizer *s, struct symbol_frame *frame,
                          const struct found_symbol *symbol)
{
    char *text = demangle(symbol->name, &frame->shortened), *telling = NULL;
    if (symbol->is_ambiguous && !frame->declared_file[0] &&
        asprintf(&telling, "%s@0x%" PRIx64, text ? text : "", symbol->address) < 0)
        telling = NULL;
    frame->function = string_pool_keep(s->pool, telling ? telling : text ? text : "");
    if (!frame->begin && symbol->is_whole)
        frame->begin = symbol->address;
    free(telling);
    free(text);
}

static bool is_mangled(const char *symbol)
{
    return strncmp(symbol, "_Z", 2) == 0 || strncmp(symbol, "_R", 2) == 0;
}

/* Two cases in which the symbol table knows a better name than DWARF: a C++ function's bare name
 * under -g1, and the inner name of a C library's function, __GI_abort for abort. */
static bool is_poor_name(const char *function, const char *symbol)
{
    return !function || function[0] == '_' || is_mangled(symbol);
}

static void complete_name(struct symbolizer *s, struct symbol_object *object, uint64_t address)
{
    struct dwarf_chain *chain = &s->chain;
    if (chain->count && chain->mangled_name)
        return;
    struct symbol_frame line_only = {.declared_file = "", .file = ""};
    struct symbol_frame *last = chain->count ? &chain->frames[chain->count - 1] : &line_only;
    struct found_symbol symbol;
    if (symbol_at(object, address, &symbol) && is_poor_name(last->function, symbol.name))
        set_demangled(s, last, &symbol);
    if (!chain->count && line_only.function) {
        chain->frames =
            symbol_array_grow(chain->frames, 0, &chain->capacity, sizeof *chain->frames);
        chain->frames[chain->count++] = line_only;
    }
    if (chain->count && !last->function)
        chain->count--;
}

/* A stripped program's entry point is crt1.o's function _start. */
static void name_entry(struct symbolizer *s, struct symbol_object *object, uint64_t address)
{
    struct dwarf_chain *chain = &s->chain;
    GElf_Ehdr header;
    if (chain->count || !gelf_getehdr(object->files.main.elf, &header) || !header.e_entry ||
        function_start(object->files.main.elf, address) != header.e_entry)
        return;
    chain->frames = symbol_array_grow(chain->frames, 0, &chain->capacity, sizeof *chain->frames);
    chain->frames[chain->count++] = (struct symbol_frame){
        .function = "_start", .declared_file = "", .file = "", .begin = header.e_entry};
}

static struct resolved look_up(struct symbolizer *s, struct symbol_object *object, uint64_t address)
{
    struct resolved result = {.address = address, .frames = &no_frame};
    open_object(s, object);
    if (!object->files.main.elf)
        return result;
    s->chain.count = 0;
    if (object->dwarf)
        dwarf_lookup_find(object->dwarf, address, &s->chain);
    complete_name(s, object, address);
    name_entry(s, object, address);
    if (s->chain.count == 0)
        return result;
    size_t bytes = s->chain.count * sizeof *s->chain.frames;
    result.frames = memcpy(string_pool_take(s->pool, bytes), s->chain.frames, bytes);
    result.count = s->chain.count;
    return result;
}

static struct resolved *find_slot(struct resolved *slots, size_t slot_count, uint64_t address)
{
    size_t at = address * 0x9e3779b97f4a7c15 >> 32 & (slot_count - 1);
    while (slots[at].frames && slots[at].address != address)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static void make_room(struct symbol_object *object)
{
    if (object->slots && object->used * 2 < object->slot_count)
        return;
    size_t bigger = object->slots ? object->slot_count * 2 : FIRST_SLOTS;
    struct resolved *slots = symbol_array_resize(NULL, bigger, sizeof *slots);
    memset(slots, 0, bigger * sizeof *slots);
    for (size_t i = 0; i < object->slot_count; i++)
        if (object->slots[i].frames)
            *find_slot(slots, bigger, object->slots[i].address) = object->slots[i];
    free(object->slots);
    object->slots = slots;
    object->slot_count = bigger;
}

size_t symbolizer_resolve(struct symbolizer *s, struct symbol_object *object, uint64_t address,
                          const struct symbol_frame **frames)
{
    make_room(object);
    struct resolved *slot = find_slot(object->slots, object->slot_count, address);
    if (!slot->frames) {
        *slot = look_up(s, object, address);
        object->used++;
    }
    *frames = slot->frames;
    return slot->count;
}

uint64_t symbolizer_function_start(struct symbolizer *s, struct symbol_object *object,
                                   uint64_t address)
{
    open_object(s, object);
    return function_start(object->files.main.elf, address);
}
