/*
 * function_flags.h - which functions are start frames, main, or allocation functions.
 *
 * A name alone says nothing: a program may have functions of its own called clone or valloc. So the
 * module counts, too: start frames are libc's, ld.so's and the program's _start; malloc and its
 * like are libc's or an allocator's; main is the program's. Only the replaceable forms of operator
 * new count wherever they lie, since the language knows no others. Any thread.
 */
#ifndef MPROF_FUNCTION_FLAGS_H
#define MPROF_FUNCTION_FLAGS_H

#include <stdint.h>

/* The enum function_flag bits of a function with a name. module, executable: paths. */
uint32_t function_flags(const char *name, const char *module, const char *executable);

#endif
