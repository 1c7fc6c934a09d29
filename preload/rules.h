/*
 * rules.h - the rule cache: {pc -> how to step from there, pc id}, process-wide and lock-free.
 *
 * An entry is two words. `key` is claimed by CAS (free -> busy), then the rule is stored, then the
 * key is released; a reader that finds its key finds a complete rule. An entry never gets another
 * pc: an outdated one is marked dead and its place is lost, so a reader may finish with what it
 * found.
 *
 *   key    63      62..48            47..0
 *          exact   tag               pc
 *   rule   63..44              43..30            29..6   5..4      3        2..0
 *          cfa_offset / 8      fp_offset / 8     id      fp_saved  base_fp  kind
 *
 * tag: the low bits of the loader generation (loaded.h) in which the entry was last found right. A
 * look-up in a later generation asks loaded.h once more. What these bits cannot express (offsets
 * beyond +-4 MiB) is left to libunwind; pcs above 2^48 are not cached.
 *
 * Cost: about 3 ns for a hit, some 300 ns for a miss (cfi.h). Any thread, any signal handler.
 */
#ifndef MPROF_RULES_H
#define MPROF_RULES_H

#include "cfi.h"
#include "loaded.h"
#include "own.h"

#include <stddef.h>
#include <stdint.h>

struct rule_entry {
    uintptr_t key;
    uint64_t word;
};

/* Three tables, each used where the one before has no place left, so that a small program pays
 * little. */
#define RULE_TIERS  3
#define RULE_PROBES 8

enum { RULE_BITS_FIRST = 12 };

extern OWN struct rule_entry *rule_tiers[RULE_TIERS]; /* NULL: not there yet */

#define RULE_PC_BITS         48
#define RULE_EXACT           (1ull << 63)
#define RULE_TAG(generation) ((uint64_t)((generation)&0x7fff) << RULE_PC_BITS)
#define RULE_HASH(key)       ((key)*0x9e3779b97f4a7c15ull)

static inline enum rule_kind rule_word_kind(uint64_t word)
{
    return (enum rule_kind)(word & 7);
}

static inline int rule_word_base_fp(uint64_t word)
{
    return word >> 3 & 1;
}

static inline enum fp_saved rule_word_fp_saved(uint64_t word)
{
    return (enum fp_saved)(word >> 4 & 3);
}

static inline uint32_t rule_word_id(uint64_t word)
{
    return (uint32_t)(word >> 6) & 0xffffff;
}

static inline intptr_t rule_word_fp_offset(uint64_t word)
{
    return ((int64_t)(word << 20) >> 50) * 8;
}

static inline intptr_t rule_word_cfa_offset(uint64_t word)
{
    return ((int64_t)word >> 44) * 8;
}

/* The rare half: the pc is new, new in this generation, or not near its first place. Never fails:
 * returns a rule of kind RULE_NONE or RULE_HARD where nothing better is known. */
uint64_t rule_find_slow(uintptr_t pc, int exact, uint32_t generation);

#define RULE_PROBES_HERE                                                                           \
    4 /* a cache line's worth; a program with many pcs fills its first table                       \
       */

/* The rule at pc (a return address; exact: the pc itself was executing), as a word. */
static inline uint64_t rule_find(uintptr_t pc, int exact, uint32_t generation)
{
    const struct rule_entry *table = __atomic_load_n(&rule_tiers[0], __ATOMIC_ACQUIRE);
    uintptr_t key = pc | RULE_TAG(generation) | (exact ? RULE_EXACT : 0);
    size_t at = RULE_HASH(pc) >> (64 - RULE_BITS_FIRST);
    if (__builtin_expect(table == NULL || pc >> RULE_PC_BITS != 0, 0))
        return rule_find_slow(pc, exact, generation);
    for (unsigned probe = 0; probe < RULE_PROBES_HERE; probe++) {
        const struct rule_entry *e = &table[(at + probe) & ((1u << RULE_BITS_FIRST) - 1)];
        if (__builtin_expect(__atomic_load_n(&e->key, __ATOMIC_ACQUIRE) == key, 1))
            return __atomic_load_n(&e->word, __ATOMIC_RELAXED);
    }
    return rule_find_slow(pc, exact, generation);
}

/* Tags recur every 2^15 generations: gives up entries before theirs does. Call at each new one. */
void rules_age(uint32_t generation);

#endif
