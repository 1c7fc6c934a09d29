/* loaded.c - modules and pcs, as the spool's tables hold them. */
#include "loaded.h"
#include "chunk.h"
#include "init.h"
#include "objects.h"
#include "rules.h"
#include "sys.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>

uint32_t loaded_generation = 1;
uintptr_t loader_start, loader_end;

void loaded_changed(void)
{
    rules_age(__atomic_add_fetch(&loaded_generation, 1, __ATOMIC_RELAXED));
}

/* What was registered; one entry a struct spool_module of ours. Complete once it has its serial,
 * which is stored last; then only its generation changes. */
struct known {
    uintptr_t start, end;
    const void *eh_frame_hdr;
    const void *identity;
    uintptr_t bias;
    const char *name;
    uint32_t serial;
    uint32_t generation; /* in which it was last found to be still the same */
    uint8_t build_id[SPOOL_BUILD_ID_MAX];
    uint32_t build_id_bytes;
};

#define KNOWN_MAX 8192
static struct known *known;
static uint32_t known_count; /* entries given out */
static uint64_t known_lock;  /* when it was taken (ticks), 0 free */

void loaded_start(void)
{
    struct object loader;
    known = sys_pages(sizeof *known * KNOWN_MAX);
    objects_start();
#pragma weak _r_debug /* musl has none, and refuses a library that needs it */
    /* _r_debug lives in ld.so; its r_ldbase is ld.so's own base. */
    if (object_find(_r_debug.r_ldbase, &loader)) {
        loader_start = loader.start;
        loader_end = loader.end;
    }
}

void loaded_after_fork(void)
{
    __atomic_store_n(&known_lock, 0, __ATOMIC_RELEASE);
    objects_after_fork();
}

/* The GNU build id among the notes of a loaded object, whose ELF header starts its mapping. */
static uint32_t read_build_id(uintptr_t start, uintptr_t end, uint8_t *to)
{
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)start;
    if (end - start < sizeof *elf || memcmp(elf->e_ident, ELFMAG, SELFMAG) != 0 ||
        elf->e_phoff > end - start ||
        elf->e_phnum * sizeof(ElfW(Phdr)) > end - start - elf->e_phoff)
        return 0;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(start + elf->e_phoff);
    uintptr_t first = 0;
    for (unsigned i = 0; i < elf->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0)
            first = segments[i].p_vaddr;
    for (unsigned i = 0; i < elf->e_phnum; i++) {
        uintptr_t at = segments[i].p_vaddr - first;
        if (segments[i].p_type != PT_NOTE || at > end - start ||
            segments[i].p_filesz > end - start - at)
            continue;
        for (uintptr_t p = start + at, stop = p + segments[i].p_filesz;
             stop - p >= sizeof(ElfW(Nhdr));) {
            const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)p;
            uintptr_t name = p + sizeof *note;
            uintptr_t text = name + ((note->n_namesz + 3ul) & ~3ul);
            if (text > stop || note->n_descsz > stop - text)
                break;
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
                memcmp((const void *)name, "GNU", 4) == 0 && note->n_descsz <= SPOOL_BUILD_ID_MAX) {
                memcpy(to, (const void *)text, note->n_descsz);
                return note->n_descsz;
            }
            p = text + ((note->n_descsz + 3ul) & ~3ul);
        }
    }
    return 0;
}

/*
 * A program whose segments have gaps between them is known to ld.so segment by segment: code,
 * tables of call frame information and ELF header may each lie in another one.
 */
static int same_segment(const struct object *o, const void *p)
{
    return (uintptr_t)p - o->start < o->end - o->start;
}

static uint32_t object_build_id(const struct object *found, uint8_t *id)
{
    struct object head = *found;
    const void *segments = (const void *)getauxval(AT_PHDR);
    int is_program = !found->name || !*found->name;
    if (is_program && segments && !same_segment(found, segments) &&
        !object_find((uintptr_t)segments, &head))
        return 0;
    return read_build_id(head.start, head.end, id);
}

/* What the rules may be read from. */
static struct cfi_module cfi_of(const struct object *found)
{
    struct object tables = *found;
    if (found->eh_frame_hdr && !same_segment(found, found->eh_frame_hdr) &&
        !object_find((uintptr_t)found->eh_frame_hdr, &tables))
        tables = *found;
    return (struct cfi_module){tables.start, tables.end, found->eh_frame_hdr};
}

/* ld.so calls the program "" and keeps relative names as they were given. */
static uint32_t module_path(const char *name, char *to)
{
    size_t n = 0;
    if (!name || !*name) {
        name = init_executable();
    } else if (strncmp(name, "linux-vdso", 10) == 0 || strncmp(name, "linux-gate", 10) == 0) {
        name = "[vdso]";
    } else if (*name != '/') {
        const char *folder = init_folder();
        while (folder[n] && n < SPOOL_MODULE_PATH - 2) {
            to[n] = folder[n];
            n++;
        }
        to[n++] = '/';
    }
    for (; *name && n < SPOOL_MODULE_PATH; name++)
        to[n++] = *name;
    return (uint32_t)n;
}

static uint32_t write_module(const struct known *k)
{
    uint32_t serial = __atomic_add_fetch(&spool.control->module_count, 1, __ATOMIC_RELAXED);
    struct spool_module *m = spool_entry(&spool.header->modules, serial);
    if (!m)
        return 0;
    m->process = spool.process_serial;
    m->start = k->start;
    m->end = k->end;
    m->bias = k->bias;
    m->build_id_bytes = k->build_id_bytes;
    memcpy(m->build_id, k->build_id, sizeof m->build_id);
    m->path_bytes = module_path(k->name, m->path);
    m->generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    __atomic_store_n(&m->state, 1, __ATOMIC_RELEASE);
    return serial;
}

/* A library that was unloaded and has come back to its place has another link_map, but its build id
 * says that the code is the same; one without a build id has to be the very same object. */
static int same_object(const struct known *k, const struct object *found)
{
    uint8_t id[SPOOL_BUILD_ID_MAX] = {0};
    return k->start == found->start && k->end == found->end &&
           k->eh_frame_hdr == found->eh_frame_hdr &&
           (k->build_id_bytes || k->identity == found->identity) &&
           object_build_id(found, id) == k->build_id_bytes &&
           memcmp(id, k->build_id, sizeof id) == 0;
}

static uint32_t known_entries(void)
{
    uint32_t count = __atomic_load_n(&known_count, __ATOMIC_RELAXED);
    return count < KNOWN_MAX ? count : KNOWN_MAX;
}

/* The entry of a known object; no lock is needed. */
static uint32_t find_known(const struct object *found, uint32_t generation)
{
    for (uint32_t i = known_entries(); i-- > 0;) {
        uint32_t serial = __atomic_load_n(&known[i].serial, __ATOMIC_ACQUIRE);
        if (serial && known[i].start == found->start && same_object(&known[i], found)) {
            __atomic_store_n(&known[i].generation, generation, __ATOMIC_RELAXED);
            return serial;
        }
    }
    return 0;
}

/* Puts it into an entry that is nobody else's: a lock that was held for long may have two holders.
 */
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
    k->name = new->name;
    k->build_id_bytes = new->build_id_bytes;
    memcpy(k->build_id, new->build_id, sizeof k->build_id);
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
                        .name = found->name,
                        .generation = generation};
    new.build_id_bytes = object_build_id(found, new.build_id);
    serial = write_module(&new);
    if (serial)
        remember(&new, serial);
    return serial;
}

/* So that several threads do not register an object each. A try-lock, for its holder may be the
 * code that this handler interrupted, or stand still on a busy machine: then there will be two
 * entries of the object, which mean the same. One held for long was left behind by a jump out of a
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
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);

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
