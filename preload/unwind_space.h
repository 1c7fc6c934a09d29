/*
 * unwind_space.h - our own process, as libunwind sees it.
 *
 * libunwind's code for its own process asks ld.so for the list of objects, under a lock that a
 * forked child may inherit taken. So we show it the process as a foreign one, an "address space":
 * registers come from a copy, memory word by word and only where it can be read, and the tables of
 * call frame information from where objects.h says, without a lock.
 *
 * libunwind-x86_64 is opened with RTLD_LOCAL and never a DT_NEEDED; what it calls of libc is
 * libc's. One visitor at a time.
 */
#ifndef MPROF_UNWIND_SPACE_H
#define MPROF_UNWIND_SPACE_H

#include "arch_x86_64.h"

#define UNW_REMOTE_ONLY
#include <libunwind.h>

/* Opens libunwind and finds the functions that we use; 0 where no library has them all. */
int unwind_space_open(void);

extern int (*unwind_step_cursor)(unw_cursor_t *);
extern int (*unwind_get_register)(unw_cursor_t *, unw_regnum_t, unw_word_t *);
extern int (*unwind_get_procedure)(unw_cursor_t *, unw_proc_info_t *);

#define UNWIND_PAGES 64 /* a power of two */

/* A visitor of the space: registers by DWARF number, and pages that have been found readable. */
struct unwind_visitor {
    uintptr_t registers[ARCH_DWARF_REGISTERS];
    uintptr_t readable[UNWIND_PAGES]; /* page numbers */
};

/* Sets the cursor to the frame that the visitor's registers describe; 0 where that fails. */
int unwind_space_enter(unw_cursor_t *cursor, struct unwind_visitor *visitor);

#endif
