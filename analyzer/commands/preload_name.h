/*
 * preload_name.h - a name for the library that LD_PRELOAD can hold.
 *
 * LD_PRELOAD ends a name at a blank or a colon and expands $ORIGIN, $LIB and $PLATFORM in it; there
 * is no way to escape such a character. So a library with one in its path gets a link with a plain
 * one: FOLDER/mprof-c-UID/NUMBER/libmprof.so, where FOLDER is the first of $TMPDIR, /tmp, /var/tmp,
 * /dev/shm and $XDG_RUNTIME_DIR that serves. The link stays, for programs that outlive mprof-c, and
 * is used again; others can follow it, but nobody else can have put it there.
 */
#ifndef MPROF_PRELOAD_NAME_H
#define MPROF_PRELOAD_NAME_H

/* The library's path, or that of a link to it; NULL if none could be made. The caller frees it. */
char *preload_name(const char *library);

/* Can the path stand in LD_PRELOAD? */
int preload_name_is_plain(const char *path);

#endif
