/* locations.c - resolving pcs, and interning what they resolve to. */
#include "locations.h"
#include "capture_format.h"
#include "function_flags.h"
#include "tree.h"
#include "xalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_ADDRESS "[unknown address]"

/* ---- interning ---- */

static uint64_t hash_bytes(const void *bytes, size_t count)
{
    const unsigned char *p = bytes;
    uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */

    for (size_t i = 0; i < count; i++)
        hash = (hash ^ p[i]) * 0x100000001b3ull;
    return hash;
}

/* The one copy of a text: equal texts have equal addresses. */
static const char *intern(struct locations *l, const char *text)
{
    uint64_t key = hash_bytes(text, strlen(text)), number;

    for (; (number = intmap_get(&l->string_numbers, key)); key++)
        if (strcmp(l->strings[number - 1], text) == 0)
            return l->strings[number - 1];
    l->strings = xgrow(l->strings, &l->string_capacity, l->string_count + 1, sizeof *l->strings);
    char *copy = arena_string(l->image->memory, text);
    l->strings[l->string_count++] = copy;
    *intmap_place(&l->string_numbers, key) = l->string_count;
    return copy;
}

/* A program whose main lies in one of its libraries has none itself. The outermost frames of a
 * stack come first, so a plugin's function of that name is not the first main. */
static uint32_t flags_of(struct locations *l, const char *name, const char *module)
{
    uint32_t flags = function_flags(name, module, l->image->executable);

    if (strcmp(name, "main") == 0 && (!l->main_module || l->main_module == module)) {
        l->main_module = module;
        flags |= FUNCTION_MAIN;
    }
    return flags;
}

/* wanted's module, name and file are interned. */
static uint32_t find_function(struct locations *l, struct function wanted)
{
    struct image *image = l->image;
    uintptr_t identity[] = {(uintptr_t)wanted.module, (uintptr_t)wanted.name,
                            (uintptr_t)wanted.file, wanted.line};
    uint64_t key = hash_bytes(identity, sizeof identity), number;

    for (; (number = intmap_get(&l->function_numbers, key)); key++) {
        const struct function *f = &image->functions[number - 1];
        if (f->module == wanted.module && f->name == wanted.name && f->file == wanted.file &&
            f->line == wanted.line)
            return (uint32_t)number - 1;
    }
    image->functions = xgrow(image->functions, &l->function_capacity, image->function_count + 1,
                             sizeof *image->functions);
    image->functions[image->function_count++] = wanted;
    *intmap_place(&l->function_numbers, key) = image->function_count;
    return (uint32_t)image->function_count - 1;
}

static uint32_t add_location(struct locations *l, struct location location)
{
    struct image *image = l->image;

    image->locations = xgrow(image->locations, &l->location_capacity, image->location_count + 1,
                             sizeof *image->locations);
    image->locations[image->location_count] = location;
    return (uint32_t)image->location_count++;
}

static void add_frame(struct locations *l, struct frame frame)
{
    struct image *image = l->image;

    image->frames =
        xgrow(image->frames, &l->frame_capacity, image->frame_count + 1, sizeof *image->frames);
    image->frames[image->frame_count++] = frame;
}

static uint32_t add_object(struct locations *l, struct object object)
{
    struct image *image = l->image;

    image->objects =
        xgrow(image->objects, &l->object_capacity, image->object_count + 1, sizeof *image->objects);
    image->objects[image->object_count] = object;
    return (uint32_t)image->object_count++;
}

/* ---- resolving ---- */

static int is_same_module(const struct known_module *a, const struct known_module *b)
{
    return a->path == b->path && a->object == b->object && a->build_id_bytes == b->build_id_bytes &&
           memcmp(a->build_id, b->build_id, sizeof a->build_id) == 0;
}

/* The number of the first module that is the same object as the last one. */
static uint32_t identity_of_last(const struct locations *l)
{
    const struct known_module *last = &l->modules[l->module_count - 1];
    uint32_t i = 0;

    while (!is_same_module(&l->modules[i], last))
        i++;
    return i;
}

/* The object's number in the image. Modules that are the same object share it. */
static uint32_t number_of(struct locations *l, const struct known_module *module)
{
    char digits[2 * SPOOL_BUILD_ID_MAX + 1] = "";

    if (&l->modules[module->identity] != module)
        return l->modules[module->identity].number;
    for (uint32_t i = 0; i < module->build_id_bytes; i++)
        sprintf(digits + 2 * i, "%02x", module->build_id[i]);
    return add_object(l, (struct object){module->path, intern(l, digits)});
}

static struct symbol_object *object_of(struct locations *l, const struct known_module *module,
                                       const struct spool_module *entry)
{
    struct symbol_identity identity = {.path = module->path,
                                       .build_id = module->build_id,
                                       .build_id_bytes = module->build_id_bytes,
                                       .start = entry->start};

    if (!l->symbols)
        return NULL;
    if (spool_module_has_facts(entry)) {
        identity.has_facts = true;
        identity.content = entry->facts.content;
        identity.device = l->devices_hold ? entry->facts.device : 0;
        identity.inode = entry->facts.inode;
        identity.file_bytes = entry->facts.file_bytes;
        identity.mtime_ns = entry->facts.mtime_ns;
    }
    if (l->living)
        identity.pid = l->living(l->living_context, entry->process);
    return symbolizer_object(l->symbols, &identity);
}

static const struct known_module *find_module(struct locations *l, uint32_t serial)
{
    struct spool_module entry;
    uint64_t number = intmap_get(&l->module_numbers, serial);

    if (number)
        return &l->modules[number - 1];
    if (serial == 0 || !spool_file_module(l->file, serial, &entry))
        return NULL;
    l->modules = xgrow(l->modules, &l->module_capacity, l->module_count + 1, sizeof *l->modules);
    struct known_module *module = &l->modules[l->module_count++];
    *intmap_place(&l->module_numbers, serial) = l->module_count;
    module->path = intern(l, entry.path);
    const char *slash = strrchr(module->path, '/');
    module->name = slash ? slash + 1 : module->path;
    module->bias = entry.bias;
    module->build_id_bytes = entry.build_id_bytes;
    memset(module->build_id, 0, sizeof module->build_id);
    memcpy(module->build_id, entry.build_id, entry.build_id_bytes);
    module->object = object_of(l, module, &entry);
    module->identity = identity_of_last(l);
    module->number = number_of(l, module);
    return module;
}

static const struct location no_place; /* in no object */

/* Adds a location of one frame, whose function has only a made-up name. `place`: where it lies. */
static uint32_t add_nameless(struct locations *l, struct location place, const char *name,
                             const char *module)
{
    const char *empty = intern(l, "");
    struct function function = {.name = intern(l, name), .module = module, .file = empty};

    place.frame_first = (uint32_t)l->image->frame_count;
    place.frame_count = 1;
    add_frame(l, (struct frame){.function = find_function(l, function), .file = empty});
    return add_location(l, place);
}

static uint32_t add_resolved(struct locations *l, struct location location,
                             const struct known_module *module, const struct symbol_frame *frames,
                             size_t count)
{
    uint64_t begin = frames[count - 1].begin;
    size_t left_out = count > LOCATION_FRAMES_MAX ? count - LOCATION_FRAMES_MAX : 0;

    location.frame_first = (uint32_t)l->image->frame_count;
    location.flags = LOCATION_HIDDEN;
    location.begin = begin <= location.offset ? begin : 0; /* else it is in another piece */
    for (size_t i = left_out; i < count; i++) { /* keeps the physical function, the last */
        const struct symbol_frame *f = &frames[i];
        struct function function = {
            .name = intern(l, f->function),
            .module = module->path,
            .file = intern(l, f->declared_file),
            .line = f->declared_line,
            .flags = flags_of(l, f->function, module->path),
        };
        size_t functions = l->image->function_count;
        if (!(function.flags & FUNCTION_ALLOCATOR))
            location.flags &= ~(uint32_t)LOCATION_HIDDEN;
        add_frame(l, (struct frame){find_function(l, function), f->line, intern(l, f->file)});
        if (f->shortened)
            l->image->shortened += l->image->function_count - functions;
        location.frame_count++;
    }
    return add_location(l, location);
}

static uint32_t resolve(struct locations *l, const struct known_module *module, uint64_t address,
                        uint32_t pc_flags)
{
    uint64_t wanted = pc_flags & SPOOL_PC_EXACT ? address : address - 1;
    struct location place = {.object = module->number, .offset = wanted};
    char name[512];

    if (module->object) {
        const struct symbol_frame *frames;
        size_t count = symbolizer_resolve(l->symbols, module->object, wanted, &frames);
        if (count)
            return add_resolved(l, place, module, frames, count);
        /* No name, but all places in one function belong to one function. */
        place.begin = symbolizer_function_start(l->symbols, module->object, wanted);
        if (place.begin)
            address = place.begin;
    }
    snprintf(name, sizeof name, "%.400s+0x%" PRIx64, module->name, address);
    return add_nameless(l, place, name, module->path);
}

/* Beyond the bound, a new place in the code is "what lies further out is unknown". */
static int is_full(const struct locations *l)
{
    return l->image->location_count >= l->most ||
           l->image->frame_count >= l->most - LOCATION_FRAMES_MAX;
}

static uint32_t find_in_module(struct locations *l, const struct known_module *module,
                               const struct spool_pc *pc)
{
    struct origin wanted = {pc->pc - module->bias, module->identity, pc->flags};
    uint64_t key = hash_bytes(&wanted, sizeof wanted), known;

    for (; (known = intmap_get(&l->by_origin, key)); key++)
        if (memcmp(&l->origins[known], &wanted, sizeof wanted) == 0)
            return (uint32_t)known;
    if (is_full(l))
        return 0;
    uint32_t location = resolve(l, module, wanted.address, pc->flags);
    l->origins = xgrow(l->origins, &l->origin_capacity, (size_t)location + 1, sizeof *l->origins);
    l->origins[location] = wanted;
    *intmap_place(&l->by_origin, key) = location;
    return location;
}

static uint32_t find_raw(struct locations *l, uint64_t pc)
{
    uint64_t location = intmap_get(&l->raw, pc);
    char name[32];

    if (location || is_full(l))
        return (uint32_t)location;
    snprintf(name, sizeof name, "0x%" PRIx64, pc);
    location = add_nameless(l, no_place, name, intern(l, ""));
    *intmap_place(&l->raw, pc) = location;
    return (uint32_t)location;
}

/* Ids without an entry: the spool is damaged, and that is not worth so long a table. */
static uint32_t find_nowhere(struct locations *l)
{
    if (!l->nowhere && !is_full(l))
        l->nowhere = add_nameless(l, no_place, UNKNOWN_ADDRESS, intern(l, ""));
    return l->nowhere;
}

static void remember(struct locations *l, uint32_t id, uint32_t location)
{
    if (location == 0) { /* for good, as no room comes again */
        *intmap_place(&l->beyond, id) = 1;
        return;
    }
    l->by_id = xgrow(l->by_id, &l->id_capacity, (size_t)id + 1, sizeof *l->by_id);
    l->by_id[id] = location;
}

uint32_t locations_find_slow(struct locations *l, uint32_t id, uint64_t pc)
{
    struct spool_pc entry;

    if (id == SPOOL_FRAME_UNKNOWN || intmap_get(&l->beyond, id))
        return 0;
    if (id == SPOOL_FRAME_RAW)
        return find_raw(l, pc);
    if (!spool_file_pc(l->file, id, &entry))
        return find_nowhere(l);
    const struct known_module *module = find_module(l, entry.module);
    uint32_t location = module ? find_in_module(l, module, &entry) : find_raw(l, entry.pc);
    remember(l, id, location);
    return location;
}

/* The kernel's own code has no file. */
static struct module_gap gap_of(const struct known_module *module)
{
    enum symbol_gap gap = SYMBOLS_WHOLE;

    if (module->object && strcmp(module->path, "[vdso]") != 0)
        gap = symbolizer_gap(module->object);
    return (struct module_gap){module->path, gap_words(gap), gap_is_of_names(gap)};
}

void locations_give_gaps(const struct locations *l)
{
    struct image *image = l->image;

    image->gaps = arena_take(image->memory, (l->module_count + 1) * sizeof *image->gaps);
    image->gap_count = 0;
    for (size_t i = 0; i < l->module_count; i++) {
        struct module_gap gap = gap_of(&l->modules[i]);
        if (gap.reason[0])
            gaps_add(image->gaps, &image->gap_count, gap);
    }
}

void locations_init(struct locations *l, struct image *image, const struct spool_file *file,
                    struct symbolizer *symbols)
{
    memset(l, 0, sizeof *l);
    l->image = image;
    l->file = file;
    l->symbols = symbols;
    l->most = CAPTURE_LOCATION_MAX;
    const char *empty = intern(l, "");
    find_function(
        l, (struct function){.name = intern(l, "[unknown]"), .module = empty, .file = empty});
    add_object(l, (struct object){empty, empty});
    add_location(l, (struct location){.flags = LOCATION_UNKNOWN});
}

void locations_clear(struct locations *l)
{
    struct image *image = l->image;

    free(image->functions);
    free(image->frames);
    free(image->objects);
    free(image->locations);
    image->functions = NULL;
    image->frames = NULL;
    image->objects = NULL;
    image->locations = NULL;
    image->function_count = image->frame_count = 0;
    image->object_count = image->location_count = 0;
    free(l->by_id);
    free(l->modules);
    free(l->strings);
    free(l->origins);
    intmap_clear(&l->raw);
    intmap_clear(&l->by_origin);
    intmap_clear(&l->module_numbers);
    intmap_clear(&l->string_numbers);
    intmap_clear(&l->function_numbers);
    intmap_clear(&l->beyond);
    memset(l, 0, sizeof *l);
}
