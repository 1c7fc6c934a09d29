/*
 * lookup.h - finds functions in the loaded objects as ld.so would, but without ld.so.
 *
 * dlsym allocates the text of an error, frees it at its next call, and takes a lock; the functions
 * it calls for that may belong to the program, or to a library that is not ready yet, and may come
 * back to us. This reads the list of objects and their tables and calls nobody but the resolvers of
 * indirect functions.
 *
 * Works as soon as this library has been relocated (real_works()), with musl's ld.so, too. The list
 * must not shrink meanwhile: what matters is looked up at the first hooked call, when the process
 * has one thread and nothing can have been unloaded.
 */
#ifndef MPROF_LOOKUP_H
#define MPROF_LOOKUP_H

#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* A definition: the symbol is an entry of its object's table. Both belong to ld.so. */
struct definition {
    const struct link_map *object; /* NULL: there is none */
    const ElfW(Sym) * symbol;
};

/* The objects in search order: the program, what was preloaded, the libraries, and after them what
 * dlopen has brought. */
const struct link_map *lookup_all(void);
const struct link_map *lookup_own(void);    /* this library; NULL where it is not in the list */
const struct link_map *lookup_behind(void); /* the object after it */
const struct link_map *lookup_libc(void);   /* the C library; NULL where it is not in the list */
const struct link_map *lookup_named(const char *begin); /* whose DT_SONAME begins so; or NULL */

/*
 * The first definition, from the object `from` on, that a caller asking for this version would be
 * bound to (an object without versions serves any). version NULL: the libraries' default version,
 * which is what a program linked with them is bound to; where there is none, any definition.
 */
struct definition lookup(const struct link_map *from, const char *name, const char *version);

/* The same in this object alone; version NULL: any. */
struct definition lookup_in(const struct link_map *object, const char *name, const char *version);

/* Its address; for an indirect function, the one its resolver returns. NULL: no definition. */
void *lookup_address(struct definition d);

/* A table, or a number, of the object's dynamic section; 0 where it has none. */
uintptr_t lookup_table(const struct link_map *object, ElfW(Sxword) tag);
size_t lookup_number(const struct link_map *object, ElfW(Sxword) tag);
uint32_t lookup_count(const struct link_map *object); /* of symbols, undefined ones included */
const char *lookup_name(const struct link_map *object, const ElfW(Sym) * symbol);

static inline int lookup_is_same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static inline int lookup_begins_with(const char *text, const char *with)
{
    while (*with && *text == *with)
        text++, with++;
    return *with == 0;
}

#endif
