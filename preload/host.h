/*
 * host.h - is this a program that the recorder leaves alone?
 *
 * Some programs cannot be recorded without harm, yet ld.so has put us into them and our hooks come
 * first. Then nothing is recorded and every hook jumps on to the next function in line, so that not
 * even a stack trace of theirs shows us. Told by symbols that are there or not; works before any
 * constructor, calls nothing.
 */
#ifndef MPROF_HOST_H
#define MPROF_HOST_H

/* 1 in a program with a sanitizer (its runtime watches each allocation by its stack, and intercepts
 * the calls that the recorder makes, also before it is ready for them), or with another libc than
 * glibc, or in mprof-c. */
int host_is_foreign(void);

#endif
