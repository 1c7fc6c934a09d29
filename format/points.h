/*
 * points.h - named points between two steps of the protocol by which recorder and collector share
 * a spool (doc/format.md, "The protocol").
 *
 * POINT(name) is nothing in a usual build. With -DMPROF_POINTS it calls point(), which tests
 * define: tests/schedules switches to another thread of a simulated world there, tests/delays
 * stands still for a while. So every order of steps can be had at will.
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
