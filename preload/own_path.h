/*
 * own_path.h - where the library lies, for programs that would not find it by the name that we were
 * loaded by: a relative one after chdir, one with $ORIGIN for a program in another folder, one
 * without a slash when LD_LIBRARY_PATH has changed. A constructor finds it; any thread may ask.
 */
#ifndef MPROF_OWN_PATH_H
#define MPROF_OWN_PATH_H

#include <stdint.h>

/* The absolute path; "" where it is not known. */
const char *own_path(void);

/* own_path_number() of the LD_LIBRARY_PATH with which we were found, or one of the two below. */
extern uint64_t own_path_searched;
uint64_t own_path_number(const char *text);
#define OWN_PATH_NOT_SET   0
#define OWN_PATH_ELSEWHERE 2 /* found by a relative name, which chdir gives another meaning */

#endif
