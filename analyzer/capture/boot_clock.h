/*
 * boot_clock.h - time since boot as the machine's first time namespace has it, which is how the
 * recorder tells it. In a container it may be another. Any thread.
 */
#ifndef MPROF_BOOT_CLOCK_H
#define MPROF_BOOT_CLOCK_H

#include <stdint.h>

uint64_t boot_clock_ns(void); /* CLOCK_BOOTTIME */

/* Field 22 of a stat file in /proc (clock ticks since boot), as read by us. */
uint64_t boot_clock_start_time(uint64_t as_read);

#endif
