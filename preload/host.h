/*
 * host.h - is this a program that the recorder leaves alone?
 *
 * Some programs cannot be recorded without harm, yet ld.so has loaded us into them and our hooks
 * come first. Then nothing is recorded and every hook jumps to the next function in line, so that
 * not even a stack trace shows us. The answer depends only on which symbols exist, so it is there
 * before any constructor runs; nothing is called.
 */
#ifndef MPROF_HOST_H
#define MPROF_HOST_H

/* 1 in a program with a sanitizer, with a libc other than glibc, or in mprof-c. (A sanitizer's
 * runtime watches each allocation by its stack, and intercepts the calls that the recorder makes,
 * even before the runtime is ready for them.) */
int host_is_foreign(void);

#endif
