/*
 * boot_clock.h - time since boot as the machine's first time namespace counts it, which is how the
 * recorder records it. A container's own may differ. Any thread.
 */
#ifndef MPROF_BOOT_CLOCK_H
#define MPROF_BOOT_CLOCK_H

#include <stdint.h>

uint64_t boot_clock_ns(void); /* CLOCK_BOOTTIME */

/* Converts field 22 of a /proc stat file (clock ticks since boot), as read by us. */
uint64_t boot_clock_start_time(uint64_t as_read);

#endif
