/* hide.c - takes hooks out of our symbol table, and out of others' weak references. */
#include "hide.h"
#include "arch_x86_64.h"
#include "spool.h"
#include "sys.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define HOOKS_MAX 128

/* Hooks without a provider. */
struct missing {
    uintptr_t hooks[HOOKS_MAX];
    uint32_t count;
};

/* ---- words in read-only pages ---- */

struct segments {
    const ElfW(Phdr) * first;
    size_t count;
};

/* The program's are in the auxiliary vector; a library's ELF header lies where it is mapped. */
static struct segments segments_of(const struct link_map *object)
{
    struct segments none = {NULL, 0};
    if (object == lookup_all())
        return (struct segments){(const ElfW(Phdr) *)getauxval(AT_PHDR), getauxval(AT_PHNUM)};
    const ElfW(Ehdr) *elf = (const ElfW(Ehdr) *)object->l_addr;
    if (!elf || object->l_addr % SPOOL_PAGE || !sys_readable(object->l_addr) ||
        !lookup_begins_with((const char *)elf->e_ident, ELFMAG) ||
        elf->e_phoff + elf->e_phnum * sizeof(ElfW(Phdr)) > SPOOL_PAGE)
        return none;
    return (struct segments){(const ElfW(Phdr) *)(object->l_addr + elf->e_phoff), elf->e_phnum};
}

/* Does the segment contain the address? RELRO counts by whole pages, as ld.so protects them. */
static int has_word(const struct link_map *object, const ElfW(Phdr) * segment, uintptr_t at)
{
    uintptr_t start = object->l_addr + segment->p_vaddr, end = start + segment->p_memsz;
    if (segment->p_type != PT_GNU_RELRO)
        return at >= start && at < end;
    return at >= (start & ~(uintptr_t)(SPOOL_PAGE - 1)) &&
           at < (end & ~(uintptr_t)(SPOOL_PAGE - 1));
}

static int protection_of(const ElfW(Phdr) * segment)
{
    return (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
           (segment->p_flags & PF_X ? PROT_EXEC : 0);
}

/* The page's protection once ld.so has relocated the object; PROT_NONE if that is unknown. */
static int protection_at(const struct link_map *object, uintptr_t at)
{
    struct segments s = segments_of(object);
    int protection = PROT_NONE, allowed = ~0;
    for (size_t i = 0; i < s.count; i++) {
        if (s.first[i].p_type == PT_LOAD && has_word(object, &s.first[i], at))
            protection = protection_of(&s.first[i]);
        else if (s.first[i].p_type == PT_GNU_RELRO && has_word(object, &s.first[i], at))
            allowed = ~PROT_WRITE;
    }
    return protection & allowed;
}

static int protect(uintptr_t at, int protection)
{
    uintptr_t page = at & ~(uintptr_t)(SPOOL_PAGE - 1);
    return SYS_CALL(SYS_mprotect, page, SPOOL_PAGE, protection, 0, 0, 0) == 0;
}

/* Stores 0 to a word of the object. */
static void make_null(const struct link_map *object, uintptr_t at)
{
    int protection = protection_at(object, at), locked = !(protection & PROT_WRITE);
    if (protection == PROT_NONE || (locked && !protect(at, protection | PROT_WRITE)))
        return;
    __atomic_store_n((uintptr_t *)at, 0, __ATOMIC_RELAXED);
    if (locked)
        protect(at, protection);
}

/* ---- weak references ---- */

static int is_missing(const struct missing *m, uintptr_t value)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->hooks[i] == value)
            return 1;
    return 0;
}

/* Goes through one table of relocations, `bytes` long. */
static void forget_in(const struct link_map *object, uintptr_t table, size_t bytes,
                      const struct missing *m)
{
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)lookup_table(object, DT_SYMTAB);
    const ElfW(Rela) *r = (const ElfW(Rela) *)table, *end = r + bytes / sizeof *r;
    for (; table && r < end; r++) {
        uint32_t number = (uint32_t)(r->r_info >> 32);
        uintptr_t at = object->l_addr + r->r_offset;
        if (number && symbols[number].st_info >> 4 == STB_WEAK &&
            arch_is_pointer((uint32_t)r->r_info) && is_missing(m, *(const uintptr_t *)at))
            make_null(object, at);
    }
}

static void forget(const struct missing *m)
{
    const struct link_map *own = lookup_own();
    for (const struct link_map *o = lookup_all(); o; o = o->l_next) {
        if (o == own)
            continue;
        /* Those without a symbol come first, and most have none. */
        size_t skipped = lookup_number(o, DT_RELACOUNT) * sizeof(ElfW(Rela));
        forget_in(o, lookup_table(o, DT_RELA) + skipped, lookup_number(o, DT_RELASZ) - skipped, m);
        forget_in(o, lookup_table(o, DT_JMPREL), lookup_number(o, DT_PLTRELSZ), m);
    }
}

/* ---- our own table ---- */

void hide_hooks(int (*is_needless)(const char *name, const struct link_map *provider))
{
    struct missing missing = {.count = 0};
    const struct link_map *own = lookup_own();
    const ElfW(Sym) *symbols = own ? (const ElfW(Sym) *)lookup_table(own, DT_SYMTAB) : NULL;
    uint32_t count = own ? lookup_count(own) : 0;
    for (uint32_t i = 1; i < count; i++) {
        const ElfW(Sym) *hook = &symbols[i];
        if (!hook->st_value || hook->st_info >> 4 == STB_LOCAL)
            continue;
        const char *name = lookup_name(own, hook);
        struct definition d = lookup(own->l_next, name, NULL);
        if (!d.object && missing.count < HOOKS_MAX)
            missing.hooks[missing.count++] = own->l_addr + hook->st_value;
        if (!d.object || is_needless(name, d.object))
            make_null(own, (uintptr_t)&hook->st_value); /* ld.so skips it now */
    }
    if (missing.count)
        forget(&missing);
}
