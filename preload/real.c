/* real.c - finding the functions behind our hooks. */
#include "real.h"
#include "arena.h"
#include "hide.h"
#include "host.h"
#include "lookup.h"
#include "thread.h"

#include <dlfcn.h>

struct real real;
struct first first;
int real_state;

/* ---- the pointers ---- */

const void *const volatile real_relocated = (const void *)&real_relocated;

/* Are we in the list of objects? Else it is not one that we know: another namespace's, for one. */
void *real_next(const char *name, const char *version)
{
    return lookup_own() ? lookup_address(lookup(lookup_behind(), name, version))
                        : dlsym(RTLD_NEXT, name);
}

/* For our own calls: not what the program, or another library before libc, has by that name. */
void *real_libc(const char *name)
{
    return lookup_own() && lookup_libc() ? lookup_address(lookup_in(lookup_libc(), name, NULL))
                                         : dlsym(RTLD_NEXT, name);
}

/* The definition that a call from the program is bound to. */
static struct definition first_of_all(const char *name)
{
    return lookup(lookup_all(), name, NULL);
}

static int is_ours(const char *name)
{
    const struct link_map *own = lookup_own();
    return own && first_of_all(name).object == own;
}

/* Is there a realloc before ours? Its library may still end up in our hook. */
static void find_first(void)
{
    struct definition found = first_of_all("realloc");
    if (!found.object || found.object == lookup_own())
        return;
    first.realloc = lookup_address(found);
    first.free = lookup_address(first_of_all("free"));
}

/* ---- operator new and delete ---- */

/* libstdc++ and libc++ end up in malloc, which we hook; an allocator's own new does not. */
static int provider_forwards(const struct link_map *provider)
{
    const char *base = provider->l_name;
    for (const char *p = base; *p; p++)
        if (*p == '/')
            base = p + 1;
    return lookup_begins_with(base, "libstdc++") || lookup_begins_with(base, "libc++");
}

static int is_operator(const char *name)
{
    return lookup_begins_with(name, "_Zn") || lookup_begins_with(name, "_Zd");
}

static int is_needless(const char *name, const struct link_map *provider)
{
    return is_operator(name) && provider_forwards(provider);
}

void *real_cxx(const char *symbol, int *forwards)
{
    struct definition d = lookup(lookup_behind(), symbol, NULL);
    *forwards = real_passive() || (d.object && provider_forwards(d.object));
    return lookup_own() ? lookup_address(d) : real_next(symbol, NULL);
}

/* ---- all of them ---- */

void real_resolve(void)
{
    if (!real_works())
        return;
    int expected = REAL_UNKNOWN;
    /* Calls from within (an indirect function's resolver) see RESOLVING and are served by the
     * arena. A process makes its first call to malloc before it can start a thread. */
    if (!__atomic_compare_exchange_n(&real_state, &expected, REAL_RESOLVING, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return;
#define REAL_LOOK_UP(name, result, parameters) real.name = real_next(#name, NULL);
    REAL_FUNCTIONS(REAL_LOOK_UP)
#undef REAL_LOOK_UP
    real.old_posix_spawn = real_next("posix_spawn", REAL_OLD_SPAWN);
    real.old_posix_spawnp = real_next("posix_spawnp", REAL_OLD_SPAWN);
    find_first();
    hide_hooks(is_needless);
    __atomic_store_n(&real_state, host_is_foreign() ? REAL_PASSIVE : REAL_RESOLVED,
                     __ATOMIC_RELEASE);
}

int real_malloc_is_ours(void)
{
    return is_ours("malloc") && is_ours("calloc") && is_ours("realloc") && is_ours("free");
}
