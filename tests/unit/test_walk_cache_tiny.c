/* The cache of whole stacks with tables in which everything collides and nothing stays. */
#ifndef MPROF_TINY_TABLES /* make check-tiny */
#define MPROF_TINY_TABLES
#endif
#include "test_walk_cache.c"
