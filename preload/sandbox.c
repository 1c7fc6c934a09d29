/* sandbox.c - asking a seccomp filter what it would do to us. */
#include "sandbox.h"
#include "chunk.h"
#include "init.h"
#include "sys.h"
#include "window.h"

#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

uint64_t sys_forbidden;

/* ---- the filter's machine: A, X and 16 words of memory ---- */

static uint32_t compute(uint16_t operation, uint32_t a, uint32_t b)
{
    switch (operation) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return b ? a / b : 0;
    case BPF_AND:
        return a & b;
    case BPF_OR:
        return a | b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return b < 32 ? a << b : 0;
    case BPF_RSH:
        return b < 32 ? a >> b : 0;
    default:
        return -a;
    }
}

static int holds(uint16_t comparison, uint32_t a, uint32_t b)
{
    switch (comparison) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default:
        return (a & b) != 0; /* BPF_JSET */
    }
}

static uint32_t load(const struct sock_filter *f, const struct seccomp_data *data,
                     const uint32_t *memory)
{
    switch (BPF_MODE(f->code)) {
    case BPF_ABS:
        return f->k <= sizeof *data - 4 ? ((const uint32_t *)data)[f->k / 4] : 0;
    case BPF_MEM:
        return memory[f->k % BPF_MEMWORDS];
    case BPF_LEN:
        return sizeof *data;
    default:
        return f->k; /* BPF_IMM */
    }
}

/* What the filter returns for a call. Jumps only go forward, so it ends. */
static uint32_t verdict(const struct sock_fprog *program, const struct seccomp_data *data)
{
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};
    for (uint32_t pc = 0; pc < program->len; pc++) {
        const struct sock_filter *f = &program->filter[pc];
        uint32_t operand = BPF_SRC(f->code) == BPF_X ? x : f->k;
        switch (BPF_CLASS(f->code)) {
        case BPF_LD:
            a = load(f, data, memory);
            break;
        case BPF_LDX:
            x = load(f, data, memory);
            break;
        case BPF_ST:
            memory[f->k % BPF_MEMWORDS] = a;
            break;
        case BPF_STX:
            memory[f->k % BPF_MEMWORDS] = x;
            break;
        case BPF_ALU:
            a = compute(BPF_OP(f->code), a, operand);
            break;
        case BPF_JMP:
            if (BPF_OP(f->code) == BPF_JA && f->k > program->len)
                return SECCOMP_RET_KILL_PROCESS; /* the kernel will refuse it */
            else if (BPF_OP(f->code) == BPF_JA)
                pc += f->k;
            else
                pc += holds(BPF_OP(f->code), a, operand) ? f->jt : f->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(f->code) == BPF_A ? a : f->k;
        default: /* BPF_MISC */
            if (BPF_MISCOP(f->code) == BPF_TAX)
                x = a;
            else
                a = x;
            break;
        }
    }
    return SECCOMP_RET_KILL_PROCESS;
}

/* ---- our calls ---- */

#define OWN_PID 0x6d70726f66706964u /* our pid takes its place */

static const struct {
    uint32_t kind; /* enum sys_kind */
    int number;
    uint64_t arguments[6]; /* those that a filter may look at */
} calls[] = {
    {SYS_KIND_MEMORY, SYS_mmap, {0, SPOOL_PAGE, 3, 0x4022 /* PRIVATE, ANONYMOUS, NORESERVE */, -1}},
    {SYS_KIND_MEMORY, SYS_mremap, {SPOOL_PAGE, 0, SPOOL_PAGE, MREMAP_MAYMOVE}},
    {SYS_KIND_MEMORY, SYS_munmap, {SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_POPULATE, SYS_madvise, {SPOOL_PAGE, SPOOL_PAGE, MADV_POPULATE_WRITE}},
    {SYS_KIND_TOUCH,
     SYS_futex,
     {SPOOL_PAGE, SYS_TOUCH_FUTEX, 0, 0, SPOOL_PAGE, (uint32_t)SYS_TOUCH_OPERATION}},
    {SYS_KIND_WINDOW, SYS_mmap, {0, SPOOL_PAGE, PROT_NONE, 0x4022, -1}},
    {SYS_KIND_WINDOW,
     SYS_mremap,
     {SPOOL_PAGE, 0, SPOOL_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, SPOOL_PAGE}},
    {SYS_KIND_WINDOW, SYS_madvise, {SPOOL_PAGE, SPOOL_PAGE, MADV_HUGEPAGE}},
    {SYS_KIND_UNLOCK, SYS_munlock, {SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_ACCESS, SYS_faccessat2, {(uint32_t)AT_FDCWD, SPOOL_PAGE, W_OK | X_OK, AT_EACCESS}},
    {SYS_KIND_FILES, SYS_openat, {(uint32_t)AT_FDCWD, SPOOL_PAGE, O_RDONLY | O_CLOEXEC}},
    {SYS_KIND_FILES, SYS_read, {3, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_FILES, SYS_close, {3}},
    {SYS_KIND_SELF, SYS_gettid, {0}},
    {SYS_KIND_SELF, SYS_getpid, {0}},
    {SYS_KIND_SELF, SYS_getppid, {0}},
    {SYS_KIND_SELF, SYS_prctl, {PR_GET_NAME, SPOOL_PAGE}},
    {SYS_KIND_SELF, SYS_sigaltstack, {0, SPOOL_PAGE}},
    {SYS_KIND_SELF, SYS_sigaltstack, {SPOOL_PAGE, 0}},
    {SYS_KIND_PROBE, SYS_rt_sigprocmask, {(uint32_t)-1, SPOOL_PAGE, 0, 8}},
    {SYS_KIND_SIGNALS, SYS_rt_sigprocmask, {SIG_SETMASK, SPOOL_PAGE, SPOOL_PAGE, 8}},
    {SYS_KIND_LIFE, SYS_tgkill, {OWN_PID, OWN_PID, 0}},
    {SYS_KIND_SEGMENT, SYS_shmctl, {0, IPC_STAT, SPOOL_PAGE}},
    {SYS_KIND_DEVICE,
     SYS_statx,
     {3, SPOOL_PAGE, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, SPOOL_PAGE}},
    {SYS_KIND_MAPPED, SYS_mincore, {SPOOL_PAGE, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_GLANCE, SYS_futex, {SPOOL_PAGE, FUTEX_WAIT_PRIVATE, 0, SPOOL_PAGE}},
    {SYS_KIND_START,
     SYS_openat,
     {(uint32_t)AT_FDCWD, SPOOL_PAGE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600}},
    {SYS_KIND_START, SYS_ftruncate, {3, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_madvise, {SPOOL_PAGE, SPOOL_PAGE, MADV_WIPEONFORK}},
    {SYS_KIND_START, SYS_mmap, {0, SPOOL_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 3}},
    {SYS_KIND_START, SYS_mprotect, {SPOOL_PAGE, SPOOL_PAGE, PROT_READ | PROT_WRITE}},
    {SYS_KIND_START, SYS_fcntl, {3, F_GETFD}},
    {SYS_KIND_START, SYS_pipe2, {SPOOL_PAGE, O_CLOEXEC | O_NONBLOCK}}, /* libunwind's .. */
    {SYS_KIND_START, SYS_mincore, {SPOOL_PAGE, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_fstat, {3, SPOOL_PAGE}}, /* .. to find those pipes */
    {SYS_KIND_START, SYS_unlink, {SPOOL_PAGE}},
    {SYS_KIND_START, SYS_fstatfs, {3, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_pwrite64, {3, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_newfstatat, {(uint32_t)AT_FDCWD, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_readlink, {SPOOL_PAGE, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_getcwd, {SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_uname, {SPOOL_PAGE}},
    {SYS_KIND_START, SYS_getrandom, {SPOOL_PAGE, SPOOL_ID_BYTES}},
    {SYS_KIND_START, SYS_prlimit64, {0, RLIMIT_FSIZE, 0, SPOOL_PAGE}},
    {SYS_KIND_START, SYS_clock_gettime, {CLOCK_REALTIME, SPOOL_PAGE}},
    {SYS_KIND_GROW, SYS_fstat, {3, SPOOL_PAGE}},
    {SYS_KIND_GROW, SYS_fallocate, {3, 0, SPOOL_PAGE, SPOOL_PAGE}},
    {SYS_KIND_TIME, SYS_clock_gettime, {CLOCK_BOOTTIME, SPOOL_PAGE}}, /* not made with a counter */
};

/* Kinds without which nothing, or something wrong, is recorded, unless we know that we cannot have
 * them. */
#define NEEDED                                                                                     \
    (SYS_KIND_MEMORY | SYS_KIND_GROW | SYS_KIND_PROBE | SYS_KIND_GLANCE | SYS_KIND_LIFE |          \
     SYS_KIND_POPULATE | SYS_KIND_TOUCH)

/* A call that ends in a signal, or asks somebody else, does harm. One that fails does none by
 * itself (Chromium's filter answers most advices for madvise with EPERM). */
static int is_harmless(uint32_t action, uint32_t kind)
{
    action &= SECCOMP_RET_ACTION_FULL;
    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
           (action == SECCOMP_RET_ERRNO && !(kind & NEEDED));
}

static uint32_t forbidden_by(const struct sock_fprog *program)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct seccomp_data data = {.nr = calls[i].number, .arch = ARCH_AUDIT};
        for (unsigned n = 0; n < 6; n++)
            data.args[n] =
                calls[i].arguments[n] != OWN_PID ? calls[i].arguments[n] : (uint64_t)init_pid();
        if (!is_harmless(verdict(program, &data), calls[i].kind))
            kinds |= calls[i].kind;
    }
    if (init_uses_counter())
        kinds &= ~(uint32_t)SYS_KIND_TIME;
    if (spool_needs_fd())
        return kinds & ~(uint32_t)(SYS_KIND_POPULATE | SYS_KIND_TOUCH);
    return kinds & ~(uint32_t)SYS_KIND_GROW;
}

/* ---- giving up ---- */

/* One word holds what is given up and, above it, how many attempts there were: so an attempt is
 * taken back only while it is the latest. What a later one counted on is not in its `given_up`. */
#define ONE_ATTEMPT (1ull << 32)

static uint32_t given_up_for(uint32_t kinds, uint32_t before)
{
    uint32_t no_way = SYS_KIND_POPULATE | SYS_KIND_TOUCH; /* to give memory its disk space */
    if (((kinds | before) & no_way) == no_way)
        kinds |= SYS_KIND_MEMORY;
    return kinds & ~before;
}

/* What must be done while we still may. */
static void prepare(uint32_t given_up)
{
    if (given_up & (SYS_KIND_MEMORY | SYS_KIND_GROW) && recorder_ready()) {
        struct sys_held held = sys_hold_signals();
        window_fill();
        sys_release_signals(held);
        spool_set_aside();
    }
    if (given_up & SYS_KIND_TIME)
        init_freeze_time();
}

static struct sandbox_attempt give_up(uint32_t kinds)
{
    uint64_t before = __atomic_load_n(&sys_forbidden, __ATOMIC_RELAXED), after;
    struct sandbox_attempt a;
    do {
        a.given_up = given_up_for(kinds, (uint32_t)before);
        prepare(a.given_up);
        after = (before | a.given_up) + ONE_ATTEMPT;
        a.number = (uint32_t)(after / ONE_ATTEMPT);
    } while (!__atomic_compare_exchange_n(&sys_forbidden, &before, after, 0, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    init_time_changed();
    return a;
}

static struct sandbox_attempt nothing(void)
{
    return (struct sandbox_attempt){0};
}

struct sandbox_attempt sandbox_strict(void)
{
    return give_up(SYS_KIND_ALL);
}

struct sandbox_attempt sandbox_no_counter(void)
{
    return give_up(SYS_KIND_TIME);
}

/* libunwind makes system calls of its own choice, so no filter can be asked about them. */
struct sandbox_attempt sandbox_filter(const struct sock_fprog *given)
{
    /* This asks whether the kernel knows filters, or is a mistake that the kernel will report. */
    if (!given || !sys_all_readable(given, sizeof *given))
        return nothing();
    struct sock_fprog program = *given;
    if (!program.filter || !sys_all_readable(program.filter, program.len * sizeof *program.filter))
        return nothing();
    return give_up(forbidden_by(&program) | SYS_KIND_UNWIND);
}

void sandbox_over(struct sandbox_attempt a, int has_failed)
{
    uint64_t now = __atomic_load_n(&sys_forbidden, __ATOMIC_RELAXED);
    if (!a.number || !has_failed)
        return;
    while (now / ONE_ATTEMPT == a.number)
        if (__atomic_compare_exchange_n(&sys_forbidden, &now, now & ~(uint64_t)a.given_up, 0,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            init_time_changed();
            return;
        }
}
