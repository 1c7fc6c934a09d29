/*
 * own.h - what other files of the recorder declare, and nobody outside.
 *
 * -fvisibility=hidden speaks of definitions only: without this a variable of another file is read
 * by way of the global offset table.
 */
#ifndef MPROF_OWN_H
#define MPROF_OWN_H

#define OWN __attribute__((visibility("hidden")))

#endif
