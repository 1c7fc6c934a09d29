/*
 * points.h - named points between the steps of the protocol by which recorder and collector share a
 * spool (doc/format.md, "The protocol").
 *
 * POINT(name) is nothing in a normal build. With -DMPROF_POINTS it calls point(), which tests
 * define: tests/schedules switches to another thread of a simulated world there, tests/delays
 * pauses for a while. So tests can force any order of steps.
 */
#ifndef MPROF_POINTS_H
#define MPROF_POINTS_H

#ifdef MPROF_POINTS
void point(const char *name) __attribute__((visibility("hidden")));
#define POINT(name) point(name)
#else
#define POINT(name) ((void)0)
#endif

#endif
