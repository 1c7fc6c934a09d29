/*
 * own_path.h - where the library lies, for programs that would not find it by the name that we were
 * loaded by: a relative one after chdir, one with $ORIGIN in another folder's program, one without
 * a slash when LD_LIBRARY_PATH has changed.
 */
#ifndef MPROF_OWN_PATH_H
#define MPROF_OWN_PATH_H

#include <stdint.h>

/* Absolute; "" where it is not known. */
const char *own_path(void);

/* Of the value that LD_LIBRARY_PATH had when we were found, as own_path_number says it. */
extern uint64_t own_path_searched;
uint64_t own_path_number(const char *text);
#define OWN_PATH_NOT_SET   0
#define OWN_PATH_ELSEWHERE 2 /* a relative folder of it: it means something else after chdir */

#endif
