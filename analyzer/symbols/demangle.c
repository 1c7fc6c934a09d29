#include "symbols.h"

#include <libiberty/demangle.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* LLVM appends ".llvm.<number>" to local symbols that it made global; no demangler knows it. */
static char *without_llvm_suffix(const char *symbol)
{
    const char *suffix = strstr(symbol, ".llvm.");
    return suffix ? strndup(symbol, (size_t)(suffix - symbol)) : strdup(symbol);
}

/* _R begins Rust's v0 mangling, _ZN..17h<16 hex digits>E its legacy one, which looks like C++'s;
 * rust_demangle knows one from the other, drops the hash and returns NULL for all the rest. */
static char *demangle_any(const char *symbol)
{
    char *text = NULL;
    if (strncmp(symbol, "_R", 2) == 0 || strncmp(symbol, "_ZN", 3) == 0)
        text = rust_demangle(symbol, 0);
    if (!text && symbol[0] == '_')
        text = cplus_demangle_v3(symbol, DMGL_PARAMS | DMGL_ANSI);
    return text;
}

char *demangle(const char *symbol)
{
    char *plain = without_llvm_suffix(symbol);
    char *text = plain ? demangle_any(plain) : NULL;
    if (!text)
        return plain ? plain : strdup("");
    free(plain);
    return text;
}
