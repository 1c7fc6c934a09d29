/*
 * lookup.h - finds functions in the loaded objects as ld.so would, but without it.
 *
 * dlsym allocates the text of an error and frees it at its next call, and takes a lock; what it
 * calls for that may be the program's, or a library's, before that is ready, and may come back to
 * us. This reads the list of objects and their tables and calls nobody.
 *
 * Works from when this library has been relocated (real_works()); musl's ld.so will do, too. The
 * list must not shrink meanwhile: what matters is looked up at the first hooked call, when the
 * process has one thread and nothing can have been unloaded.
 */
#ifndef MPROF_LOOKUP_H
#define MPROF_LOOKUP_H

#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* A definition: the symbol is an entry of its object's table. Both are ld.so's. */
struct definition {
    const struct link_map *object; /* NULL: there is none */
    const ElfW(Sym) * symbol;
};

/* The objects in order of search: the program, what was preloaded, the libraries, and behind them
 * what dlopen has brought. */
const struct link_map *lookup_all(void);
const struct link_map *lookup_own(void);    /* this library; NULL where it is not in the list */
const struct link_map *lookup_behind(void); /* the object after it */

/*
 * The first definition from this object on that a caller would be bound to who asks for that
 * version (an object without versions serves all of them). version NULL: the one that libraries
 * have by default; it is what a program is bound to that was linked with them. Where there is none,
 * whichever there is.
 */
struct definition lookup(const struct link_map *from, const char *name, const char *version);

/* The same in this object alone; version NULL: whichever there is. */
struct definition lookup_in(const struct link_map *object, const char *name, const char *version);

/* Where it is; of an indirect function, what its resolver says. NULL where there is none. */
void *lookup_address(struct definition d);

/* A table of the object's dynamic section, and a number; 0 where it has none. */
uintptr_t lookup_table(const struct link_map *object, ElfW(Sxword) tag);
size_t lookup_number(const struct link_map *object, ElfW(Sxword) tag);
uint32_t lookup_count(const struct link_map *object); /* of symbols, defined ones included */
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
