/*
 * arch_x86_64.h - everything the recorder knows about the processor: raw system calls, the counter,
 * the registers that a walk needs, how a signal frame keeps them. No other file names a register.
 */
#ifndef MPROF_ARCH_X86_64_H
#define MPROF_ARCH_X86_64_H

#include <cpuid.h>
#include <stdint.h>
#include <string.h>

/* DWARF register numbers (System V psABI, figure 3.36). */
enum { ARCH_DWARF_FP = 6, ARCH_DWARF_SP = 7, ARCH_DWARF_RA = 16, ARCH_DWARF_REGISTERS = 17 };

#define ARCH_HUGE_PAGE   (2ul << 20) /* the usual size */
#define ARCH_ELF_MACHINE 62
#define ARCH_AUDIT       0xc000003eu /* AUDIT_ARCH_X86_64, as seccomp filters see it */

/* What a frame is walked from: pc (a return address), and the stack and frame pointers there. */
struct registers {
    uintptr_t pc, sp, fp;
};

/* The frame record of a hook: {saved fp, return address}. Hooks pass it on as their caller: one
 * word instead of three registers. The function that uses ARCH_CALLER must keep a frame pointer. */
struct arch_frame {
    uintptr_t fp, pc;
};
#define ARCH_CALLER() ((const struct arch_frame *)__builtin_frame_address(0))

/* The registers of the caller of the function whose frame record this is. */
static inline struct registers arch_registers(const struct arch_frame *f)
{
    return (struct registers){.pc = f->pc, .sp = (uintptr_t)(f + 1), .fp = f->fp};
}

/* Does this type of relocation fill in a whole pointer: R_X86_64_64, _GLOB_DAT, _JUMP_SLOT? */
static inline int arch_is_pointer(uint32_t relocation)
{
    return relocation == 1 || relocation == 6 || relocation == 7;
}

/*
 * The calling thread's block is where %fs leads. The C library's begins with its own address and
 * has it once more as its third word. A thread that a program makes by itself may have another
 * block, or any number in place of one; so the processor is asked for the address, if it may be
 * (arch_may_ask_block, from AT_HWCAP2), before anything is read there. A block of aarch64 does not
 * know its own address; there the check must be another one.
 */
static inline int arch_may_ask_block(unsigned long hwcap2)
{
    return hwcap2 >> 1 & 1; /* HWCAP2_FSGSBASE */
}

static inline uintptr_t arch_block(void)
{
    uintptr_t block;
    __asm__ volatile("rdfsbase %0" : "=r"(block));
    return block;
}

/* Where the block can be read. */
static inline int arch_has_libc_block(void)
{
    uintptr_t first, third;
    __asm__ volatile("mov %%fs:0, %0" : "=r"(first));
    __asm__ volatile("mov %%fs:0x10, %0" : "=r"(third));
    return first && first == third;
}

/* Where the return address lies below the CFA. */
#define ARCH_RA_OFFSET (-8)

/* One frame-pointer step: {saved fp, return address} lie at fp. */
static inline struct registers arch_frame_pointer_step(struct registers r)
{
    const uintptr_t *frame = (const uintptr_t *)r.fp;
    return (struct registers){.pc = frame[1], .sp = r.fp + 16, .fp = frame[0]};
}

/* A struct ucontext follows the return address of a signal handler; its general registers start at
 * byte 40, in the order r8..r15 rdi rsi rbp rbx rdx rax rcx rsp rip (asm/sigcontext.h). */
static inline struct registers arch_signal_step(struct registers r)
{
    const uintptr_t *saved = (const uintptr_t *)(r.sp + 40);
    return (struct registers){.pc = saved[16], .sp = saved[15], .fp = saved[10]};
}

/* memcpy and memset, without a call of either. */
static inline void arch_copy(void *to, const void *from, size_t bytes)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes)::"memory");
}

static inline void arch_fill(void *to, int byte, size_t bytes)
{
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(bytes) : "a"(byte) : "memory");
}

/* About 8 ns; monotonic across cores where the kernel's clocksource is tsc. */
static inline uint64_t arch_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

/* No later instruction begins before all earlier ones are done (stores may still be on their way to
 * other processors). */
static inline void arch_wait_for_loads(void)
{
    __asm__ volatile("lfence" ::: "memory");
}

/*
 * Does the counter tell the same time as the kernel's clocksource? tsc is the counter. The clocks
 * of a hypervisor's page are computed from it; there the counters of all processors agree if the
 * processor says that its own never stops (cpuid 0x80000007, edx bit 8). The kernel asks the same
 * before it prefers tsc to them.
 */
static inline int arch_counter_serves(const char *clocksource)
{
    unsigned a, b, c, d = 0;
    if (strncmp(clocksource, "tsc", 3) == 0)
        return 1;
    if (strncmp(clocksource, "kvm-clock", 9) != 0 &&
        strncmp(clocksource, "hyperv_clocksource_tsc", 22) != 0)
        return 0;
    return __get_cpuid(0x80000007, &a, &b, &c, &d) && d >> 8 & 1;
}

/* Saves the registers that a callee must keep, and the place of this code, as words by DWARF
 * number; leaves the other words alone. */
static inline __attribute__((always_inline)) void arch_save(uintptr_t *to)
{
    __asm__ volatile("mov %%rbx, 3*8(%0)\n\t"
                     "mov %%rbp, 6*8(%0)\n\t"
                     "mov %%rsp, 7*8(%0)\n\t"
                     "mov %%r12, 12*8(%0)\n\t"
                     "mov %%r13, 13*8(%0)\n\t"
                     "mov %%r14, 14*8(%0)\n\t"
                     "mov %%r15, 15*8(%0)\n\t"
                     "lea 0(%%rip), %%rax\n\t"
                     "mov %%rax, 16*8(%0)"
                     :
                     : "r"(to)
                     : "rax", "memory");
}

/* The compiler does not know these where it is told to leave vector registers alone. */
#ifdef __SSE__
#define ARCH_VECTORS                                                                               \
    , "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",     \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"
#else
#define ARCH_VECTORS
#endif

/* Calls f(argument) on another stack, whose upper end is `top` (a multiple of 16). */
static inline void arch_call_on_stack(void (*f)(void *), void *argument, void *top)
{
    __asm__ volatile("mov %%rsp, %%rbx\n\t"
                     "mov %[top], %%rsp\n\t"
                     "call *%[f]\n\t"
                     "mov %%rbx, %%rsp"
                     : "+D"(argument)
                     : [top] "r"(top), [f] "r"(f)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory",
                       "cc" ARCH_VECTORS);
}

static inline long arch_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
