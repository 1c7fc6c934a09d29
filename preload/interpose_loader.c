/*
 * interpose_loader.c - the list of loaded objects, as AddressSanitizer's check of it must see it.
 *
 * The shared runtime (libasan) ends the program at its start, before any constructor, if another
 * library comes before it in this list. We come first wherever we are preloaded, but do nothing
 * there (host.h); so until our own constructor has run, the list is shown without us.
 */
#include "host.h"
#include "init.h"
#include "real.h"

#include <link.h>
#include <stdint.h>

#define HOOK __attribute__((visibility("default")))

typedef int callback_function(struct dl_phdr_info *, size_t, void *);
typedef int iterate(callback_function *, void *);

struct asked {
    callback_function *callback;
    void *data;
};

/* Our own object is the one whose segments hold this function. */
static int is_own_object(const struct dl_phdr_info *info)
{
    uintptr_t here = (uintptr_t)is_own_object;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && here - (info->dlpi_addr + part->p_vaddr) < part->p_memsz)
            return 1;
    }
    return 0;
}

static int show_others(struct dl_phdr_info *info, size_t size, void *data)
{
    const struct asked *asked = data;
    return is_own_object(info) ? 0 : asked->callback(info, size, asked->data);
}

/* Without real_resolve, which is for the first call that may allocate. */
static iterate *next(void)
{
    static iterate *found;
    iterate *function = __atomic_load_n(&found, __ATOMIC_RELAXED);
    if (__builtin_expect(!function, 0)) {
        function = (iterate *)real_next("dl_iterate_phdr", NULL);
        __atomic_store_n(&found, function, __ATOMIC_RELAXED);
    }
    return function;
}

HOOK int dl_iterate_phdr(callback_function *callback, void *data)
{
    iterate *function = next();
    if (__builtin_expect(!init_constructed, 0) && host_is_foreign()) {
        struct asked asked = {callback, data};
        return function(show_others, &asked);
    }
    return function(callback, data);
}

/* Here, not in a forked child, where another thread may have been changing the loader's list. */
static __attribute__((constructor)) void look_up(void)
{
    next();
}
