/*
 * symbols.h - addresses to functions, files and lines, inlined frames included.
 *
 * Reads ELF and DWARF with elfutils libelf and libdw: the object at its recorded path if that is
 * certainly the one that was loaded (identity.h), else as a living process shows it (live_files.h),
 * and separate debug files under /usr/lib/debug by build id or debuglink, or in debuginfod's cache.
 * Never the network (only libdwfl asks debuginfod, and it is not used). Names are demangled (C++
 * and Rust) with libiberty. Where DWARF says nothing the symbol tables are used (.symtab, .dynsym,
 * .gnu_debugdata); where they say nothing either, nothing is returned and the caller shows
 * module+0x1234.
 *
 * One symbolizer serves a whole tree of recordings: an object is read once per build id (per path
 * and file where that says too little), and again only if memory was short meanwhile. Results are
 * cached per (object, address). Strings live as long as the symbolizer. Single-threaded. Nothing
 * here fails: what cannot be read is unresolved.
 */
#ifndef MPROF_SYMBOLS_H
#define MPROF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gap.h"

struct symbolizer;
struct symbol_object;

struct symbol_frame {
    const char *function;      /* demangled */
    const char *declared_file; /* "" unknown */
    uint32_t declared_line;    /* 0 unknown */
    const char *file;          /* of the executing line, "" unknown */
    uint32_t line;
    bool shortened; /* the function's name was longer than NAME_BYTES_MAX (shorten.h) */
    uint64_t begin; /* of the physical function: its address; 0 unknown, and of inlined ones */
};

struct symbolizer *symbolizer_new(void);
void symbolizer_free(struct symbolizer *s);

/* An object as it was recorded. Zeros: not known. */
struct symbol_identity {
    const char *path;
    const uint8_t *build_id;
    size_t build_id_bytes;
    /* Did the recorder write down the next five (struct spool_module_facts)? device 0: any. */
    bool has_facts;
    uint64_t content, device, inode, file_bytes, mtime_ns;
    int32_t pid;              /* a living process that has it mapped .. */
    uint64_t start;           /* .. from this address on */
    bool build_id_is_telling; /* set by the symbolizer: no other object has that build id */
};

/* The object that was recorded with this identity. Never NULL; belongs to the symbolizer, which
 * copies the texts. */
struct symbol_object *symbolizer_object(struct symbolizer *s,
                                        const struct symbol_identity *identity);

/* What is missing of the object's names and debug information, and why; known once any were asked
 * for. */
enum symbol_gap symbolizer_gap(const struct symbol_object *object);

/* Frames at `address` (as in the ELF file, without the load bias), innermost inlined one first, the
 * physical function last. Returns their number, 0 where nothing is known. *frames belongs to the
 * symbolizer. A return address is looked up as address - 1 by the caller. */
size_t symbolizer_resolve(struct symbolizer *s, struct symbol_object *object, uint64_t address,
                          const struct symbol_frame **frames);

/* Where the function around `address` begins, by the object's unwind information: for call sites
 * without a name. 0 where the object has none. */
uint64_t symbolizer_function_start(struct symbolizer *s, struct symbol_object *object,
                                   uint64_t address);

/* Demangled copy of a C++ or Rust symbol, or a copy of the text itself; free() it. Never longer
 * than NAME_BYTES_MAX; *shortened says whether it would have been. Any thread, within 0.1 s of
 * processor time. */
char *demangle(const char *symbol, bool *shortened);

#endif
