/* hide.c - takes hooks out of our symbol table, and out of others' weak references. */
#include "hide.h"
#include "arch_x86_64.h"
#include "word.h"

#include <elf.h>

#define HOOKS_MAX 128

/* Hooks without a provider. */
struct missing {
    uintptr_t hooks[HOOKS_MAX];
    uint32_t count;
};

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
            word_store(object, at, 0);
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
            word_store(own, (uintptr_t)&hook->st_value, 0); /* ld.so skips it now */
    }
    if (missing.count)
        forget(&missing);
}
