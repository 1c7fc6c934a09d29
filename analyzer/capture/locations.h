/*
 * locations.h - a spool's pc ids as locations of an image: each pc is resolved once, when it is
 * first seen on a stack, and its frames and functions are interned in the image's tables.
 *
 * Equal code has one location, however many processes and pc ids it was seen under (forked children
 * each number what they meet): the same module by path and identity, the same address in it.
 * Functions are the same where module, name, file and line of the declaration are. Where the
 * symbolizer knows no name, a function is named by its start, "libx.so+0x1200"; where that is
 * unknown too, each location is a function, "libx.so+0x1234", or "0x7f.." outside of all modules.
 * Location 0 is "what lies further out is unknown", function 0 stands for a stack without any
 * function.
 *
 * Owner: the tables grow here and are released by locations_clear; strings lie in the image's
 * memory. One thread.
 */
#ifndef MPROF_LOCATIONS_H
#define MPROF_LOCATIONS_H

#include "intmap.h"
#include "spool_file.h"
#include "summary.h"
#include "symbols.h"

struct known_module {
    const char *path, *name; /* name: the path's last part */
    uint8_t build_id[SPOOL_BUILD_ID_MAX];
    uint32_t build_id_bytes;
    uint32_t identity; /* the first module of this path that is the same object */
    uint32_t number;   /* that object's in image->objects */
    uint64_t bias;
    struct symbol_object *object; /* NULL: no symbolizer */
};

/* What a location was made from. */
struct origin {
    uint64_t address; /* in the module */
    uint32_t module;  /* identity */
    uint32_t flags;   /* of the pc */
};

/* The pid of a living process of the image, by preference the one of this serial; 0 none. */
typedef int32_t locations_living(void *context, uint32_t process);

struct locations {
    struct image *image;
    const struct spool_file *file;
    struct symbolizer *symbols; /* NULL: all stays unresolved */
    int devices_hold;           /* recorded device numbers are those of this boot */
    locations_living *living;   /* NULL: files are looked at only as we see them */
    void *living_context;
    const char *main_module; /* where the first `main` lies, NULL none yet */
    uint32_t *by_id;         /* pc id -> location, 0 not looked up yet (or no pc) */
    uint32_t nowhere;        /* the location of ids without an entry, 0 none yet */
    size_t id_capacity;
    struct intmap raw;      /* pc -> location, of pcs in no module */
    struct origin *origins; /* by location; those of modules only */
    size_t origin_capacity;
    struct intmap by_origin; /* hash -> location */
    struct known_module *modules;
    struct intmap module_numbers; /* serial -> index in modules + 1 */
    size_t module_count, module_capacity;
    char **strings;
    size_t string_count, string_capacity;
    struct intmap string_numbers;   /* hash -> index in strings + 1 */
    struct intmap function_numbers; /* hash -> function + 1 */
    size_t function_capacity, frame_capacity, object_capacity, location_capacity;
    size_t most;          /* locations, and frames; a test may have less than the format's bound */
    struct intmap beyond; /* pc ids of places that were new when there was no room any more */
};

void locations_init(struct locations *l, struct image *image, const struct spool_file *file,
                    struct symbolizer *symbols);
void locations_clear(struct locations *l);

/* Lists in the image the modules whose names or debug information are missing, and why. */
void locations_give_gaps(const struct locations *l);

uint32_t locations_find_slow(struct locations *l, uint32_t id, uint64_t pc);

/* The location of a frame of an event: pc id and, for SPOOL_FRAME_RAW, pc. */
static inline uint32_t locations_find(struct locations *l, uint32_t id, uint64_t pc)
{
    if (__builtin_expect(id < l->id_capacity && l->by_id[id], 1))
        return l->by_id[id];
    return locations_find_slow(l, id, pc);
}

#endif
