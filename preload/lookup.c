/* lookup.c - hash tables and versions of loaded objects. */
#include "lookup.h"

#include <elf.h>
#include <sys/auxv.h>

/* ---- the list ---- */

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* The first is glibc's, the second musl's. */
#pragma weak _r_debug
extern struct r_debug *_dl_debug_addr __attribute__((weak));

const struct link_map *lookup_all(void)
{
    if (&_r_debug)
        return _r_debug.r_map;
    return &_dl_debug_addr && _dl_debug_addr ? _dl_debug_addr->r_map : NULL;
}

const struct link_map *lookup_own(void)
{
    const struct link_map *object = lookup_all();
    while (object && object->l_ld != _DYNAMIC)
        object = object->l_next;
    return object;
}

const struct link_map *lookup_behind(void)
{
    const struct link_map *own = lookup_own();
    return own ? own->l_next : NULL;
}

/* ---- one object's tables ---- */

size_t lookup_number(const struct link_map *object, ElfW(Sxword) tag)
{
    for (const ElfW(Dyn) *d = object->l_ld; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return d->d_un.d_val;
    return 0;
}

/* ld.so has replaced offsets by addresses, but not in every object. */
uintptr_t lookup_table(const struct link_map *object, ElfW(Sxword) tag)
{
    uintptr_t at = lookup_number(object, tag);
    return at && at < object->l_addr ? at + object->l_addr : at;
}

const char *lookup_name(const struct link_map *object, const ElfW(Sym) * symbol)
{
    return (const char *)lookup_table(object, DT_STRTAB) + symbol->st_name;
}

/* The bits of an entry of DT_VERSYM. */
#define VERSION_HIDDEN 0x8000
#define VERSION_FIRST  2 /* the lowest number of a version; lower ones mean none */

static ElfW(Half) version_number(const struct link_map *object, const ElfW(Sym) * symbol)
{
    const ElfW(Half) *numbers = (const ElfW(Half) *)lookup_table(object, DT_VERSYM);
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)lookup_table(object, DT_SYMTAB);
    return numbers ? numbers[symbol - symbols] : 1;
}

/* The name of a definition's version, or NULL. */
static const char *version_name(struct definition d)
{
    ElfW(Half) number = version_number(d.object, d.symbol) & ~VERSION_HIDDEN;
    const char *at = (const char *)lookup_table(d.object, DT_VERDEF);
    if (!at || number < VERSION_FIRST)
        return NULL;
    for (;;) {
        const ElfW(Verdef) *v = (const ElfW(Verdef) *)at;
        if (v->vd_ndx == number) {
            const ElfW(Verdaux) *first = (const ElfW(Verdaux) *)(at + v->vd_aux);
            return (const char *)lookup_table(d.object, DT_STRTAB) + first->vda_name;
        }
        if (!v->vd_next)
            return NULL;
        at += v->vd_next;
    }
}

static const char by_default[] = ""; /* what a caller that names no version asks for */

/* Would ld.so bind a caller that asks for this version to this definition? */
static int serves(struct definition d, const char *version)
{
    const char *own = version_name(d);
    int is_hidden = (version_number(d.object, d.symbol) & VERSION_HIDDEN) != 0;
    if (!version)
        return 1;
    return own && version != by_default ? lookup_is_same(own, version) : !is_hidden;
}

static int is_function(const ElfW(Sym) * symbol)
{
    unsigned type = symbol->st_info & 15, binding = symbol->st_info >> 4;
    return symbol->st_value && symbol->st_shndx != SHN_UNDEF && binding != STB_LOCAL &&
           (type == STT_NOTYPE || type == STT_FUNC || type == STT_GNU_IFUNC);
}

/* Is symbol number i the one that is looked for? */
static int matches(const struct link_map *object, uint32_t i, const char *name, const char *version,
                   struct definition *d)
{
    const ElfW(Sym) *symbol = (const ElfW(Sym) *)lookup_table(object, DT_SYMTAB) + i;
    *d = (struct definition){object, symbol};
    return is_function(symbol) && lookup_is_same(lookup_name(object, symbol), name) &&
           serves(*d, version);
}

/* ---- hash tables ---- */

static uint32_t gnu_hash(const char *name)
{
    uint32_t hash = 5381;
    for (; *name; name++)
        hash = hash * 33 + (uint8_t)*name;
    return hash;
}

/* DT_GNU_HASH: a filter that says "no" to most names, buckets, then the hashes of their chains. */
struct gnu_table {
    uint32_t buckets, first_symbol, filter_words, filter_shift;
    ElfW(Addr) filter[];
};

static struct definition find_by_gnu(const struct link_map *object, const struct gnu_table *t,
                                     const char *name, const char *version)
{
    enum { BITS = 8 * sizeof(ElfW(Addr)) };
    struct definition d, none = {NULL, NULL};
    uint32_t hash = gnu_hash(name);
    ElfW(Addr) word = t->filter[hash / BITS & (t->filter_words - 1)];
    if (!(word >> hash % BITS & word >> (hash >> t->filter_shift) % BITS & 1) || !t->buckets)
        return none;
    const uint32_t *buckets = (const uint32_t *)(t->filter + t->filter_words);
    const uint32_t *chains = buckets + t->buckets - t->first_symbol;
    uint32_t i = buckets[hash % t->buckets];
    for (; i >= t->first_symbol; i++) {
        if ((chains[i] | 1) == (hash | 1) && matches(object, i, name, version, &d))
            return d;
        if (chains[i] & 1) /* the chain's last */
            break;
    }
    return none;
}

/* The last symbol ends the chain that begins last. */
static uint32_t count_by_gnu(const struct gnu_table *t)
{
    const uint32_t *buckets = (const uint32_t *)(t->filter + t->filter_words);
    const uint32_t *chains = buckets + t->buckets - t->first_symbol;
    uint32_t last = 0;
    for (uint32_t i = 0; i < t->buckets; i++)
        last = buckets[i] > last ? buckets[i] : last;
    while (last >= t->first_symbol && !(chains[last] & 1))
        last++;
    return last >= t->first_symbol ? last + 1 : t->first_symbol;
}

uint32_t lookup_count(const struct link_map *object)
{
    uintptr_t gnu = lookup_table(object, DT_GNU_HASH), sysv = lookup_table(object, DT_HASH);
    return gnu    ? count_by_gnu((const struct gnu_table *)gnu)
           : sysv ? ((const uint32_t *)sysv)[1]
                  : 0;
}

static uint32_t sysv_hash(const char *name)
{
    uint32_t hash = 0;
    for (; *name; name++) {
        hash = (hash << 4) + (uint8_t)*name;
        hash ^= hash >> 24 & 0xf0;
    }
    return hash & 0x0fffffff;
}

/* DT_HASH: {buckets, symbols, bucket[], chain[]}. */
static struct definition find_by_sysv(const struct link_map *object, const uint32_t *t,
                                      const char *name, const char *version)
{
    struct definition d;
    const uint32_t *buckets = t + 2, *chains = buckets + t[0];
    for (uint32_t i = t[0] ? buckets[sysv_hash(name) % t[0]] : 0; i; i = chains[i])
        if (matches(object, i, name, version, &d))
            return d;
    return (struct definition){NULL, NULL};
}

struct definition lookup_in(const struct link_map *object, const char *name, const char *version)
{
    uintptr_t gnu = lookup_table(object, DT_GNU_HASH), sysv = lookup_table(object, DT_HASH);
    if (gnu)
        return find_by_gnu(object, (const struct gnu_table *)gnu, name, version);
    if (sysv)
        return find_by_sysv(object, (const uint32_t *)sysv, name, version);
    return (struct definition){NULL, NULL};
}

/* ---- an object by the name that others want it by ---- */

const struct link_map *lookup_named(const char *begin)
{
    const struct link_map *object = lookup_all();
    for (; object; object = object->l_next) {
        size_t name = lookup_number(object, DT_SONAME);
        const char *texts = (const char *)lookup_table(object, DT_STRTAB);
        if (name && lookup_begins_with(texts + name, begin))
            break;
    }
    return object;
}

const struct link_map *lookup_libc(void)
{
    const struct link_map *glibc_or_musl = lookup_named("libc.so");
    return glibc_or_musl ? glibc_or_musl : lookup_named("libc.musl");
}

/* ---- all objects ---- */

/* The kernel's own object is in the list, but nothing is bound to it by name. */
static const struct link_map *skip_kernels(const struct link_map *object)
{
    return object && object->l_addr && object->l_addr == getauxval(AT_SYSINFO_EHDR) ? object->l_next
                                                                                    : object;
}

static const struct link_map *next_object(const struct link_map *object)
{
    return skip_kernels(object->l_next);
}

/* The version that the first library with versions gives to callers that ask for none. */
static const char *default_version(const struct link_map *from, const char *name)
{
    for (const struct link_map *object = skip_kernels(from); object; object = next_object(object)) {
        struct definition d = lookup_in(object, name, by_default);
        if (d.object && version_name(d))
            return version_name(d);
    }
    return NULL;
}

struct definition lookup(const struct link_map *from, const char *name, const char *version)
{
    struct definition d = {NULL, NULL};
    if (!version)
        version = default_version(from, name);
    for (const struct link_map *object = skip_kernels(from); object && !d.object;
         object = next_object(object))
        d = lookup_in(object, name, version);
    return d;
}

void *lookup_address(struct definition d)
{
    if (!d.object)
        return NULL;
    union {
        uintptr_t address;
        void *function;
        void *(*resolver)(void);
    } at = {d.object->l_addr + d.symbol->st_value};
    return (d.symbol->st_info & 15) == STT_GNU_IFUNC ? at.resolver() : at.function;
}
