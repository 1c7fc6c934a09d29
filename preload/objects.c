/* objects.c - _dl_find_object, or a list in its place. */
#include "objects.h"
#include "init.h"
#include "loaded.h"
#include "lookup.h"
#include "sys.h"
#include "thread.h"

#include <link.h>

/* ---- glibc's way ---- */

#ifdef DLFO_STRUCT_HAS_EH_DBASE
typedef struct dl_find_object found_object;
#else /* a header from before 2.35; the library may be newer */
typedef struct {
    unsigned long long dlfo_flags;
    void *dlfo_map_start, *dlfo_map_end;
    struct link_map *dlfo_link_map;
    void *dlfo_eh_frame;
    unsigned long long reserved[7];
} found_object;
#endif

static int (*find_object)(void *, found_object *); /* NULL: this glibc has none */

/* ---- the list ---- */

#define OBJECTS_MAX 2048

struct list {
    uint32_t generation; /* 0: being made */
    uint32_t count;
    struct object objects[OBJECTS_MAX];
};

/* Used in turn, so that a reader has time to finish with the previous one. */
static struct list *lists[2];
static uint32_t newest; /* index */
static uint64_t making; /* when somebody began to make one (ticks), 0 nobody */

/* What takes longer was left behind by a jump out of a handler. */
#define MAKING_STALE 4000000000u

static int add_object(struct dl_phdr_info *info, size_t size, void *data)
{
    struct list *list = data;
    struct object o = {.start = UINTPTR_MAX, .name = info->dlpi_name, .bias = info->dlpi_addr};
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uintptr_t at = info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_GNU_EH_FRAME)
            o.eh_frame_hdr = (const void *)at;
        if (p->p_type != PT_LOAD)
            continue;
        uintptr_t page = at & ~(uintptr_t)4095;
        o.start = page < o.start ? page : o.start;
        o.end = at + p->p_memsz > o.end ? at + p->p_memsz : o.end;
    }
    o.identity = info->dlpi_phdr;
    if (o.end > o.start && list->count < OBJECTS_MAX)
        list->objects[list->count++] = o;
    return 0;
}

static const struct list *list_now(void)
{
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_ACQUIRE);
    uint64_t since = __atomic_load_n(&making, __ATOMIC_RELAXED), now = init_ticks() | 1;
    struct list *list = lists[__atomic_load_n(&newest, __ATOMIC_ACQUIRE)];
    if (list && __atomic_load_n(&list->generation, __ATOMIC_ACQUIRE) == generation)
        return list;
    if ((since && now - since < MAKING_STALE) ||
        !__atomic_compare_exchange_n(&making, &since, now, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return NULL;
    uint32_t turn = !newest;
    if (!lists[turn])
        lists[turn] = sys_pages(sizeof *list);
    list = lists[turn];
    if (list) {
        list->generation = list->count = 0;
        uintptr_t before = own_begin();
        dl_iterate_phdr(add_object, list);
        own_end(before);
        __atomic_store_n(&list->generation, generation, __ATOMIC_RELEASE);
        __atomic_store_n(&newest, turn, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&making, 0, __ATOMIC_RELEASE);
    return list;
}

/* Takes the smallest span that holds pc: other objects may lie in a program's gaps. */
static int find_in_list(uintptr_t pc, struct object *object)
{
    const struct list *list = list_now();
    uintptr_t best = UINTPTR_MAX;
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct object *o = &list->objects[i];
        if (pc - o->start < o->end - o->start && o->end - o->start < best) {
            *object = *o;
            best = o->end - o->start;
        }
    }
    return best != UINTPTR_MAX;
}

/* ---- either ---- */

int object_find(uintptr_t pc, struct object *object)
{
    found_object found;
    if (!find_object)
        return find_in_list(pc, object);
    if (find_object((void *)pc, &found) != 0)
        return 0;
    *object = (struct object){.start = (uintptr_t)found.dlfo_map_start,
                              .end = (uintptr_t)found.dlfo_map_end,
                              .eh_frame_hdr = found.dlfo_eh_frame,
                              .name = found.dlfo_link_map->l_name,
                              .bias = found.dlfo_link_map->l_addr,
                              .identity = found.dlfo_link_map};
    return 1;
}

int objects_are_listed(void)
{
    return !find_object;
}

void objects_start(void)
{
    find_object = (int (*)(void *, found_object *))lookup_address(
        lookup(lookup_all(), "_dl_find_object", NULL));
}

void objects_after_fork(void)
{
    __atomic_store_n(&making, 0, __ATOMIC_RELEASE);
}
