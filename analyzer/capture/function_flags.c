/* function_flags.c - see function_flags.h. */
#include "function_flags.h"
#include "summary.h"

#include <stdbool.h>
#include <string.h>

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "libc.so.6", or as it was before glibc 2.34 "libc-2.31.so". */
static bool is_library(const char *base, const char *name)
{
    size_t bytes = strlen(name);
    return strncmp(base, name, bytes) == 0 &&
           (begins(base + bytes, ".so") || (base[bytes] == '-' && base[bytes + 1] >= '0' &&
                                            base[bytes + 1] <= '9' && strstr(base, ".so")));
}

static bool is_loader(const char *base)
{
    return begins(base, "ld-linux") || is_library(base, "ld");
}

static bool is_libc(const char *base)
{
    return is_library(base, "libc") || is_library(base, "libpthread");
}

/* libjemalloc, libtcmalloc, libmimalloc ..; libc_malloc_debug */
static bool is_allocator(const char *base)
{
    return begins(base, "lib") && strstr(base, ".so") &&
           (strstr(base, "malloc") || begins(base, "libhoard") || begins(base, "libscudo") ||
            begins(base, "libumem"));
}

static bool is_cxx_runtime(const char *base)
{
    return is_library(base, "libstdc++") || is_library(base, "libc++") ||
           is_library(base, "libc++abi");
}

static bool is_start(const char *name, const char *base, bool is_program)
{
    static const char *const starts[] = {"__libc_start_main",
                                         "__libc_start_main_impl",
                                         "__libc_start_call_main",
                                         "start_thread",
                                         "thread_start",
                                         "clone",
                                         "clone3",
                                         "__clone",
                                         "__clone3",
                                         "__GI___clone3",
                                         NULL};
    static const char *const loader_starts[] = {"_start", "_dl_start_user", NULL};
    if (is_program)
        return strcmp(name, "_start") == 0;
    if (is_loader(base))
        return is_one_of(name, loader_starts);
    return is_libc(base) && (is_one_of(name, starts) || begins(name, "__libc_start_main@"));
}

/* The forms that a program may replace but whose meaning it must keep: for one or several objects,
 * perhaps aligned, perhaps without an exception. */
static bool is_replaceable_new(const char *name)
{
    static const char *const parameters[] = {
        "(unsigned long)", "(unsigned long, std::nothrow_t const&)",
        "(unsigned long, std::align_val_t)",
        "(unsigned long, std::align_val_t, std::nothrow_t const&)", NULL};
    if (!begins(name, "operator new"))
        return false;
    name += strlen("operator new");
    return is_one_of(begins(name, "[]") ? name + 2 : name, parameters);
}

static bool is_allocation(const char *name, const char *base, bool is_program)
{
    static const char *const allocators[] = {
        "malloc",
        "calloc",
        "realloc",
        "reallocarray",
        "memalign",
        "aligned_alloc",
        "valloc",
        "pvalloc",
        "posix_memalign",
        "__libc_malloc",
        "__libc_calloc",
        "__libc_realloc",
        "__libc_memalign",
        "__libc_valloc",
        "__libc_pvalloc",
        "__posix_memalign",
        NULL,
    };
    if (is_replaceable_new(name))
        return true;
    if (is_program)
        return false;
    if (begins(name, "operator new"))
        return is_cxx_runtime(base) || is_allocator(base);
    return (is_libc(base) || is_allocator(base)) && is_one_of(name, allocators);
}

uint32_t function_flags(const char *name, const char *module, const char *executable)
{
    const char *base = base_of(module);
    bool is_program = strcmp(module, executable) == 0;
    uint32_t flags = FUNCTION_RESOLVED;

    if (is_program && strcmp(name, "main") == 0)
        flags |= FUNCTION_MAIN;
    if (is_start(name, base, is_program))
        flags |= FUNCTION_START;
    if (is_allocation(name, base, is_program))
        flags |= FUNCTION_ALLOCATOR;
    return flags;
}
