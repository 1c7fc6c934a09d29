/* rules.c - the rule cache: probing, filling, ageing. */
#include "rules.h"
#include "spool.h"
#include "sys.h"

enum { KEY_FREE = 0, KEY_BUSY = 1, KEY_DEAD = 2 };

#define PC_MASK      ((1ull << RULE_PC_BITS) - 1)
#define HALF_OF_TAGS 0x3fffu

struct rule_entry *rule_tiers[RULE_TIERS];
static const unsigned tier_bits[RULE_TIERS] = {RULE_BITS_FIRST, 14, 18};
/* The module of each entry's pc, in tables beside the tiers: only misses need it. */
static uint32_t *tier_modules[RULE_TIERS];

static void *table_once(void **place, size_t bytes)
{
    void *table = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if (__builtin_expect(table != NULL, 1))
        return table;
    void *fresh = sys_pages(bytes);
    if (!fresh)
        return NULL;
    if (__atomic_compare_exchange_n(place, &table, fresh, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return fresh;
    sys_unmap(fresh, bytes);
    return table;
}

/* Both tables of tier i; NULL where there is no memory for them. */
static struct rule_entry *tier(unsigned i, uint32_t **modules)
{
    *modules = table_once((void **)&tier_modules[i], sizeof **modules << tier_bits[i]);
    if (!*modules)
        return NULL;
    return table_once((void **)&rule_tiers[i], sizeof(struct rule_entry) << tier_bits[i]);
}

static inline size_t place_of(unsigned bits, uintptr_t pc, unsigned probe)
{
    return ((RULE_HASH(pc) >> (64 - bits)) + probe) & ((1ull << bits) - 1);
}

/* The entry of this pc, whatever its tag; NULL where there is none. */
static struct rule_entry *find(uintptr_t wanted, uint32_t *module)
{
    for (unsigned i = 0; i < RULE_TIERS; i++) {
        uint32_t *modules;
        struct rule_entry *table = tier(i, &modules);
        if (!table)
            return NULL;
        for (unsigned probe = 0; probe < RULE_PROBES; probe++) {
            size_t at = place_of(tier_bits[i], wanted & PC_MASK, probe);
            uintptr_t have = __atomic_load_n(&table[at].key, __ATOMIC_ACQUIRE);
            if ((have & (PC_MASK | RULE_EXACT)) == wanted) {
                *module = modules[at];
                return &table[at];
            }
            if (have == KEY_FREE)
                return NULL;
        }
    }
    return NULL;
}

static void insert(uintptr_t key, uint64_t word, uint32_t module)
{
    for (unsigned i = 0; i < RULE_TIERS; i++) {
        uint32_t *modules;
        struct rule_entry *table = tier(i, &modules);
        if (!table)
            return;
        for (unsigned probe = 0; probe < RULE_PROBES; probe++) {
            size_t at = place_of(tier_bits[i], key & PC_MASK, probe);
            uintptr_t expected = KEY_FREE;
            if (!__atomic_compare_exchange_n(&table[at].key, &expected, KEY_BUSY, 0,
                                             __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
                continue;
            modules[at] = module;
            __atomic_store_n(&table[at].word, word, __ATOMIC_RELAXED);
            __atomic_store_n(&table[at].key, key, __ATOMIC_RELEASE);
            return;
        }
    }
}

/* The rule as a word; 0 where it does not fit into one (kind 0 has a CFA offset of at least 8). */
static uint64_t pack(struct rule rule, uint32_t id)
{
    int64_t cfa = rule.cfa_offset, fp = rule.fp_offset;
    uint64_t word = (uint64_t)(cfa / 8) << 44 | ((uint64_t)(fp / 8) & 0x3fff) << 30 |
                    (uint64_t)id << 6 | (uint64_t)rule.fp_saved << 4 | (uint64_t)rule.base_fp << 3 |
                    (uint64_t)rule.kind;
    if (rule_word_cfa_offset(word) != cfa || rule_word_fp_offset(word) != fp)
        return 0;
    return word;
}

static struct rule rule_at(const struct cfi_module *module, uintptr_t pc, int exact)
{
    struct rule rule = cfi_rule(module, exact ? pc : pc - 1);
    if (exact || rule.kind != RULE_NONE)
        return rule;
    /* No call comes from before a function's start: makecontext puts the very start of
     * __start_context where the first return address belongs. */
    struct rule at_start = cfi_rule(module, pc);
    if (at_start.kind != RULE_NONE)
        rule = (struct rule){.kind = RULE_END};
    return rule;
}

static __attribute__((noinline)) uint64_t learn(uintptr_t pc, int exact, uint32_t generation,
                                                struct rule_entry *old, uint32_t old_module)
{
    uintptr_t key = pc | RULE_TAG(generation) | (exact ? RULE_EXACT : 0);
    struct cfi_module module;
    uint32_t serial;
    int found = loaded_module(exact ? pc : pc - 1, &module, &serial);

    if (old && serial && old_module == serial) {
        uint64_t word = __atomic_load_n(&old->word, __ATOMIC_RELAXED);
        __atomic_store_n(&old->key, key, __ATOMIC_RELEASE);
        return word;
    }
    if (old && serial) /* without a serial nothing is known: the list may be in the making */
        __atomic_store_n(&old->key, KEY_DEAD, __ATOMIC_RELEASE);
    struct rule rule = {.kind = RULE_NONE};
    if (found)
        rule = rule_at(&module, pc, exact);
    /* Only pcs inside known modules are remembered. */
    uint32_t id = serial ? loaded_pc_id(pc, serial, exact) : SPOOL_FRAME_RAW;
    uint64_t word = pack(rule, id);
    if (!word)
        word = pack((struct rule){.kind = RULE_HARD}, id);
    if (id != SPOOL_FRAME_RAW)
        insert(key, word, serial);
    return word;
}

uint64_t rule_find_slow(uintptr_t pc, int exact, uint32_t generation)
{
    uint32_t module = 0;
    struct rule_entry *e = NULL;
    if (pc >> RULE_PC_BITS != 0)
        return pack((struct rule){.kind = RULE_NONE}, SPOOL_FRAME_RAW);
    e = find(pc | (exact ? RULE_EXACT : 0), &module);
    uintptr_t key = e ? __atomic_load_n(&e->key, __ATOMIC_RELAXED) : 0;
    if (e && (key & ~(PC_MASK | RULE_EXACT)) == RULE_TAG(generation))
        return __atomic_load_n(&e->word, __ATOMIC_RELAXED);
    return learn(pc, exact, generation, e, module);
}

void rules_age(uint32_t generation)
{
    if ((generation & HALF_OF_TAGS) != 0)
        return;
    for (unsigned i = 0; i < RULE_TIERS; i++) {
        struct rule_entry *table = __atomic_load_n(&rule_tiers[i], __ATOMIC_ACQUIRE);
        for (size_t at = 0; table && at < (size_t)1 << tier_bits[i]; at++) {
            uintptr_t key = __atomic_load_n(&table[at].key, __ATOMIC_RELAXED);
            uint32_t age = (generation - (uint32_t)(key >> RULE_PC_BITS)) & 0x7fff;
            if ((key & PC_MASK) > KEY_DEAD && age > HALF_OF_TAGS)
                __atomic_compare_exchange_n(&table[at].key, &key, KEY_DEAD, 0, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED);
        }
    }
}
