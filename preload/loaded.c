/* loaded.c - modules and pcs, as the spool's tables hold them. */
#include "loaded.h"
#include "chunk.h"
#include "init.h"
#include "lookup.h"
#include "module_facts.h"
#include "objects.h"
#include "rules.h"
#include "sys.h"

#include <elf.h>
#include <link.h>
#include <string.h>

uint32_t loaded_generation = 1;
uintptr_t loader_start, loader_end;
uintptr_t noticed_start, noticed_bytes;
uintptr_t allocator_start, allocator_bytes;
static uint32_t unloads; /* rises whenever something may be unloaded */

#pragma weak _r_debug /* musl has none, and refuses a library that needs it */

/* While ld.so frees what an object had, r_state of the object's namespace is RT_DELETE. Before
 * glibc 2.35 we cannot see the states of the other namespaces, so it may be any time. */
static int may_be_unloading(void)
{
#ifdef DLFO_STRUCT_HAS_EH_DBASE
    const struct r_debug_extended *d = (const struct r_debug_extended *)&_r_debug;
    if (objects_are_listed() || !d || noticed_bytes == UINTPTR_MAX)
        return 1;
    for (; d; d = d->base.r_version >= 2 ? d->r_next : NULL)
        if (d->base.r_state == RT_DELETE)
            return 1;
    return 0;
#else
    return 1;
#endif
}

/* Stores the generation last: whoever sees it asks once more. */
void loaded_changed(void)
{
    if (may_be_unloading())
        __atomic_add_fetch(&unloads, 1, __ATOMIC_RELAXED);
    rules_age(__atomic_add_fetch(&loaded_generation, 1, __ATOMIC_RELEASE));
}

/* A registered object; one for each struct spool_module of ours. Complete once it has its serial,
 * which is stored last; after that only the last three members change. */
struct known {
    uintptr_t start, end;
    const void *eh_frame_hdr;
    uintptr_t bias;
    struct module_facts facts;
    uint32_t serial;
    uint32_t generation;  /* in which it was last found to be the same */
    const void *identity; /* the object's, when its facts were last read and found the same .. */
    uint32_t unloads;     /* .. and the number of unloads before that */
};

#define KNOWN_MAX 8192
static struct known *known;
static uint32_t known_count; /* entries given out */
static uint64_t known_lock;  /* when it was taken (ticks), 0 when free */

void loaded_start(void)
{
    struct object loader;
    known = sys_pages(sizeof *known * KNOWN_MAX);
    objects_start();
    /* _r_debug lives in ld.so; its r_ldbase is ld.so's own base. */
    if (object_find(_r_debug.r_ldbase, &loader)) {
        loader_start = loader.start;
        loader_end = loader.end;
    }
    noticed_start = loader_start;
    noticed_bytes = loader_end - loader_start;
}

void loaded_find_allocator(uintptr_t function)
{
    struct object allocator;
    const struct link_map *libc = lookup_libc();
    uintptr_t in_libc = libc ? (uintptr_t)libc->l_ld : 0;
    if (!object_find(function, &allocator) ||
        in_libc - allocator.start < allocator.end - allocator.start)
        return;
    allocator_start = allocator.start;
    allocator_bytes = allocator.end - allocator.start;
}

void loaded_notice_all(void)
{
    noticed_start = 0;
    noticed_bytes = UINTPTR_MAX;
}

void loaded_after_fork(void)
{
    __atomic_store_n(&known_lock, 0, __ATOMIC_RELEASE);
    objects_after_fork();
}

/*
 * ld.so knows a program whose segments have gaps between them segment by segment: code and tables
 * of call frame information may lie in different ones.
 */
static int same_segment(const struct object *o, const void *p)
{
    return (uintptr_t)p - o->start < o->end - o->start;
}

/* Where the rules may be read from. */
static struct cfi_module cfi_of(const struct object *found)
{
    struct object tables = *found;
    if (found->eh_frame_hdr && !same_segment(found, found->eh_frame_hdr) &&
        !object_find((uintptr_t)found->eh_frame_hdr, &tables))
        tables = *found;
    return (struct cfi_module){tables.start, tables.end, found->eh_frame_hdr};
}

static size_t put_text(char *to, size_t n, const char *text)
{
    for (; *text && n < SPOOL_MODULE_PATH; text++)
        to[n++] = *text;
    return n;
}

/* The folder that a relative name starts from: the working folder if the object's file can be found
 * from there, else the folder of the start. */
static size_t put_folder(char *to, int is_found_here)
{
    long bytes = is_found_here && sys_may(SYS_KIND_START)
                     ? SYS_CALL(SYS_getcwd, to, SPOOL_MODULE_PATH, 0, 0, 0, 0)
                     : 0;
    size_t n = bytes > 1 && *to == '/' ? (size_t)bytes - 1 : put_text(to, 0, init_folder());
    return put_text(to, n, "/");
}

/* ld.so calls the program "" and keeps relative names as they were given. */
static uint32_t module_path(const char *name, int is_found_here, char *to)
{
    size_t n = 0;
    if (!name || !*name)
        name = init_executable();
    else if (strncmp(name, "linux-vdso", 10) == 0 || strncmp(name, "linux-gate", 10) == 0)
        name = "[vdso]";
    else if (*name != '/')
        n = put_folder(to, is_found_here);
    return (uint32_t)put_text(to, n, name);
}

static uint32_t write_module(const struct known *k, const char *name)
{
    uint32_t serial = __atomic_add_fetch(&spool.control->module_count, 1, __ATOMIC_RELAXED);
    struct spool_module *m = spool_entry(&spool.header->modules, serial);
    if (!m)
        return 0;
    m->process = spool.process_serial;
    m->start = k->start;
    m->end = k->end;
    m->bias = k->bias;
    m->build_id_bytes = k->facts.build_id_bytes;
    memcpy(m->build_id, k->facts.build_id, sizeof m->build_id);
    m->path_bytes = module_path(name, k->facts.spooled.inode != 0, m->path);
    m->facts = k->facts.spooled;
    m->generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    __atomic_store_n(&m->state, 1, __ATOMIC_RELEASE);
    return serial;
}

/* Without a build id and a file, nothing shows that they are the same. */
static int same_facts(const struct module_facts *a, const struct module_facts *b)
{
    return (a->build_id_bytes || a->spooled.inode) && memcmp(a, b, sizeof *a) == 0;
}

/* As long as nothing is unloaded, an object at the same place is the same object. After an unload,
 * everything that ld.so says of another may be equal, even the address of its link_map; then its
 * facts decide. */
static int same_object(struct known *k, const struct object *found)
{
    struct module_facts now;
    uint32_t since = __atomic_load_n(&unloads, __ATOMIC_RELAXED);
    if (k->start != found->start || k->end != found->end || k->eh_frame_hdr != found->eh_frame_hdr)
        return 0;
    if (__atomic_load_n(&k->identity, __ATOMIC_RELAXED) == found->identity &&
        __atomic_load_n(&k->unloads, __ATOMIC_RELAXED) == since)
        return 1;
    module_facts_read(found, &now);
    if (!same_facts(&k->facts, &now))
        return 0;
    __atomic_store_n(&k->identity, found->identity, __ATOMIC_RELAXED);
    __atomic_store_n(&k->unloads, since, __ATOMIC_RELAXED);
    return 1;
}

static uint32_t known_entries(void)
{
    uint32_t count = __atomic_load_n(&known_count, __ATOMIC_RELAXED);
    return count < KNOWN_MAX ? count : KNOWN_MAX;
}

/* The serial of a known object; needs no lock. */
static uint32_t find_known(const struct object *found, uint32_t generation)
{
    for (uint32_t i = known_entries(); i-- > 0;) {
        uint32_t serial = __atomic_load_n(&known[i].serial, __ATOMIC_ACQUIRE);
        if (serial && same_object(&known[i], found)) {
            __atomic_store_n(&known[i].generation, generation, __ATOMIC_RELAXED);
            return serial;
        }
    }
    return 0;
}

/* Puts it into an entry of its own: a lock that was held for long may have two holders. */
static void remember(const struct known *new, uint32_t serial)
{
    uint32_t i = __atomic_fetch_add(&known_count, 1, __ATOMIC_RELAXED);
    if (i >= KNOWN_MAX) {
        __atomic_store_n(&known_count, KNOWN_MAX, __ATOMIC_RELAXED);
        return;
    }
    struct known *k = &known[i];
    k->start = new->start;
    k->end = new->end;
    k->eh_frame_hdr = new->eh_frame_hdr;
    k->identity = new->identity;
    k->bias = new->bias;
    k->unloads = new->unloads;
    memcpy(&k->facts, &new->facts, sizeof k->facts);
    __atomic_store_n(&k->generation, new->generation, __ATOMIC_RELAXED);
    __atomic_store_n(&k->serial, serial, __ATOMIC_RELEASE);
}

static uint32_t register_object(const struct object *found, uint32_t generation)
{
    uint32_t serial = find_known(found, generation);
    if (serial || known_entries() == KNOWN_MAX)
        return serial;
    struct known new = {.start = found->start,
                        .end = found->end,
                        .eh_frame_hdr = found->eh_frame_hdr,
                        .identity = found->identity,
                        .bias = found->bias,
                        .generation = generation,
                        .unloads = __atomic_load_n(&unloads, __ATOMIC_RELAXED)};
    module_facts_read(found, &new.facts);
    serial = write_module(&new, found->name);
    if (serial)
        remember(&new, serial);
    return serial;
}

/* Keeps several threads from registering the same object. A try-lock, because its holder may be the
 * code that this handler interrupted, or may stand still on a busy machine: then the object will
 * have two entries, which mean the same. A lock held for long was left behind by a jump out of a
 * handler. */
#define LOCK_STALE 1000000000u

static int lock_known(void)
{
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t taken = __atomic_load_n(&known_lock, __ATOMIC_RELAXED), now = init_ticks() | 1;
        if ((!taken || now - taken > LOCK_STALE) &&
            __atomic_compare_exchange_n(&known_lock, &taken, now, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return 1;
    }
    return 0;
}

int loaded_module(uintptr_t pc, struct cfi_module *module, uint32_t *serial)
{
    struct object found;
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_ACQUIRE);

    *serial = 0;
    if (!known || !object_find(pc, &found))
        return 0;
    *module = cfi_of(&found);
    for (uint32_t i = known_entries(); i-- > 0 && !*serial;) {
        uint32_t known_serial = __atomic_load_n(&known[i].serial, __ATOMIC_ACQUIRE);
        if (known_serial && known[i].start == found.start &&
            __atomic_load_n(&known[i].generation, __ATOMIC_RELAXED) == generation)
            *serial = known_serial;
    }
    if (!*serial)
        *serial = find_known(&found, generation);
    if (!*serial) {
        int is_locked = lock_known();
        *serial = register_object(&found, generation);
        if (is_locked)
            __atomic_store_n(&known_lock, 0, __ATOMIC_RELEASE);
    }
    return 1;
}

uint32_t loaded_pc_id(uintptr_t pc, uint32_t module, int exact)
{
    const struct spool_table *table = &spool.header->pcs;
    if (__atomic_load_n(&spool.control->pc_count, __ATOMIC_RELAXED) + 1 >= table->capacity)
        return SPOOL_FRAME_RAW;
    uint32_t id = __atomic_add_fetch(&spool.control->pc_count, 1, __ATOMIC_RELAXED);
    struct spool_pc *entry = spool_entry(table, id);
    if (!entry)
        return SPOOL_FRAME_RAW;
    entry->pc = pc;
    entry->module = module;
    __atomic_store_n(&entry->flags, SPOOL_PC_VALID | (exact ? SPOOL_PC_EXACT : 0),
                     __ATOMIC_RELEASE);
    return id;
}
