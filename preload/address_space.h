/*
 * address_space.h - what the kernel says of the process's address space, for the few calls that
 * leave open what they have done: a file of /proc is read, which takes from tens of microseconds to
 * milliseconds. Any thread; needs little stack. errno is left alone.
 */
#ifndef MPROF_ADDRESS_SPACE_H
#define MPROF_ADDRESS_SPACE_H

#include <stdint.h>

struct bounds {
    uintptr_t begin, end;
};

/* The lowest mapping that ends above `address`; 0 bytes where there is none, or we may not ask. */
struct bounds address_space_above(uintptr_t address);

/* Where the break was at first: the kernel lets nobody move it below that. 0 where we may not ask.
 */
uintptr_t address_space_first_break(void);

#endif
