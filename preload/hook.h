/*
 * hook.h - hooks that are recognized among the callers of another hook.
 *
 * The real call of a hook may come back to us: an allocator maps memory, a library behind us makes
 * a system call by its number. That is one call of the program's, which the first hook records. No
 * word says that it is under way: malloc would have to write it each time, and an exception or a
 * jump out of the real call would leave it set. Instead these hooks lie in a section of their own,
 * and the hook that is called last looks for their frames on the stack (interpose_whose.c).
 */
#ifndef MPROF_HOOK_H
#define MPROF_HOOK_H

#include <stdint.h>

#define HOOK_PART __attribute__((section("mprof_hooks"))) /* has the real call under way */
#define HOOK      HOOK_PART __attribute__((visibility("default")))

/* Made by the linker (libmprof.map hides them); not in a program that has no hooks (unit tests). */
extern const char hook_start[] __asm__("__start_mprof_hooks")
    __attribute__((weak, visibility("hidden")));
extern const char hook_end[] __asm__("__stop_mprof_hooks")
    __attribute__((weak, visibility("hidden")));

/* Does this pc lie in such a hook? */
static inline int hook_has(uintptr_t pc)
{
    return pc - (uintptr_t)hook_start < (uintptr_t)hook_end - (uintptr_t)hook_start;
}

#endif
