/* real.c - finding the functions behind our hooks. */
#include "real.h"
#include "arena.h"
#include "host.h"
#include "objects.h"
#include "sys.h"
#include "thread.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

struct real real;
struct first first;
int real_state;

/* musl has none. */
#pragma weak dladdr1

/* ---- what only newer libcs have ---- */

extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

/* One of our own tables. ld.so has put addresses in the place of offsets, on most machines. */
static uintptr_t dynamic_table(ElfW(Sxword) tag, uintptr_t base)
{
    for (const ElfW(Dyn) *d = _DYNAMIC; d->d_tag != DT_NULL; d++)
        if (d->d_tag == tag)
            return d->d_un.d_ptr < base ? d->d_un.d_ptr + base : d->d_un.d_ptr;
    return 0;
}

/*
 * A program that asks dlsym whether its libc has a function shall not find ours where libc has
 * none. An old hidden version is what ld.so does not show to dlsym but still binds references to:
 * one that was bound before we came here (a weak one) must not find nothing when it is called.
 */
#define OLD_AND_HIDDEN 0x8002

static void hide_from_dlsym(const void *hook)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    if (!dladdr1 || !dladdr1(hook, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return;
    uintptr_t base = (uintptr_t)info.dli_fbase;
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)dynamic_table(DT_SYMTAB, base);
    ElfW(Half) *versions = (ElfW(Half) *)dynamic_table(DT_VERSYM, base);
    if (!symbols || !versions || base + symbol->st_value != (uintptr_t)hook)
        return;
    ElfW(Half) *version = versions + (symbol - symbols);
    uintptr_t page = (uintptr_t)version & ~(uintptr_t)(SYS_PAGE - 1);
    if (SYS_CALL(SYS_mprotect, page, SYS_PAGE, PROT_READ | PROT_WRITE, 0, 0, 0) != 0)
        return;
    __atomic_store_n(version, OLD_AND_HIDDEN, __ATOMIC_RELAXED);
    SYS_CALL(SYS_mprotect, page, SYS_PAGE, PROT_READ, 0, 0, 0);
}

/* ---- the pointers ---- */

const void *const volatile real_relocated = (const void *)&real_relocated;

/* libstdc++ and libc++ come down to malloc, where we stand anyway; an allocator's own new does not.
 */
static int provider_forwards(const void *function)
{
    Dl_info info;
    if (!dladdr(function, &info) || !info.dli_fname)
        return 0;
    const char *base = strrchr(info.dli_fname, '/');
    base = base ? base + 1 : info.dli_fname;
    return strncmp(base, "libstdc++", 9) == 0 || strncmp(base, "libc++", 6) == 0;
}

/* A search through the whole program finds ourselves. */
static int is_own(const void *function)
{
    Dl_info info, own;
    return dladdr(function, &info) && dladdr((const void *)real_resolve, &own) &&
           info.dli_fbase == own.dli_fbase;
}

/* A program that lies at a fixed address and takes malloc's shows its own stub for it (an undefined
 * symbol with a value). Where a call leads to is then found out by one. */
static int is_stub(const void *function)
{
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    return dladdr1 && dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
           symbol->st_shndx == SHN_UNDEF;
}

/* Is there a realloc before ours? Its library may as well come down to our hook in the end. */
static void find_first(void)
{
    void *found = dlsym(RTLD_DEFAULT, "realloc");
    if (!found || is_own(found) || is_stub(found))
        return;
    first.realloc = found;
    first.free = dlsym(RTLD_DEFAULT, "free");
}

void real_resolve(void)
{
    if (!real_works())
        return;
    int expected = REAL_UNKNOWN;
    /* Nested calls (dlsym's calloc) see RESOLVING and are served by the arena. The first malloc of
     * a process comes before it can start a thread. */
    if (!__atomic_compare_exchange_n(&real_state, &expected, REAL_RESOLVING, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
        return;
#define REAL_LOOK_UP(name, result, parameters) real.name = dlsym(RTLD_NEXT, #name);
    REAL_FUNCTIONS(REAL_LOOK_UP)
#undef REAL_LOOK_UP
    find_first();
    dlerror(); /* not every libc has them all, and the program shall not read of it */
    if (!real.free_sized)
        hide_from_dlsym((const void *)real_hook_free_sized);
    if (!real.free_aligned_sized)
        hide_from_dlsym((const void *)real_hook_free_aligned_sized);
    __atomic_store_n(&real_state, host_is_foreign() ? REAL_PASSIVE : REAL_RESOLVED,
                     __ATOMIC_RELEASE);
}

static int call_is_ours(void)
{
    uintptr_t before = own_begin();
    void *volatile p = malloc(1);
    int ours = arena_owns(p);
    free(p);
    own_end(before);
    return ours;
}

int real_malloc_is_ours(void)
{
    const void *first = dlsym(RTLD_DEFAULT, "malloc");
    return first && (is_own(first) || (is_stub(first) && call_is_ours()));
}

void *real_cxx(const char *symbol, const void *caller, int *forwards)
{
    uintptr_t before = own_begin();
    void *function = dlsym(RTLD_NEXT, symbol);
    if (!function) {
        struct object found;
        objects_start();
        if (object_find((uintptr_t)caller, &found)) {
            void *handle = dlopen(*found.name ? found.name : NULL, RTLD_NOLOAD | RTLD_LAZY);
            if (handle) {
                function = dlsym(handle, symbol);
                dlclose(handle);
            }
        }
    }
    dlerror();
    if (function && is_own(function))
        function = NULL;
    *forwards = function && (provider_forwards(function) || real_passive());
    own_end(before);
    return function;
}
