/* unwind.c - one step with libunwind. */
#define UNW_LOCAL_ONLY
#include "unwind.h"
#include "loaded.h"
#include "sys.h"
#include "thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

static int (*getcontext_)(unw_tdep_context_t *);
static int (*init_local)(unw_cursor_t *, unw_context_t *);
static int (*step)(unw_cursor_t *);
static int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
static void (*flush_cache)(unw_addr_space_t, unw_word_t, unw_word_t);
static unw_addr_space_t *local_space;
static int ready;

void unwind_open(void)
{
    uintptr_t before = own_begin();
    void *library = dlopen("libunwind.so.8", RTLD_LAZY | RTLD_LOCAL);
    if (library) {
        /* The macros of libunwind.h give the names their target's prefix, _Ux86_64_ or _ULx86_64_.
         */
        getcontext_ = dlsym(library, TEXT(UNW_ARCH_OBJ(getcontext)));
        init_local = dlsym(library, TEXT(unw_init_local));
        step = dlsym(library, TEXT(unw_step));
        get_reg = dlsym(library, TEXT(unw_get_reg));
        flush_cache = dlsym(library, TEXT(unw_flush_cache));
        local_space = dlsym(library, TEXT(unw_local_addr_space));
        __atomic_store_n(&ready,
                         getcontext_ && init_local && step && get_reg && flush_cache && local_space,
                         __ATOMIC_RELEASE);
    }
    own_end(before);
}

/* libunwind remembers rules by pc, also past a dlclose. */
static void flush_if_loaded(void)
{
    static uint32_t flushed;
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&flushed, generation, __ATOMIC_RELAXED) != generation)
        flush_cache(*local_space, 0, 0);
}

/* A deep stack would take longer than the timer that interrupts it, for ever and ever. */
#define STEPS_MAX 1024

/* Walks from here to the frame *r, as libunwind sees it, and one step further. */
static __attribute__((noinline)) int step_from(struct registers *r)
{
    unw_context_t context;
    unw_cursor_t cursor;
    unw_word_t pc, sp, fp;
    getcontext_(&context);
    if (init_local(&cursor, &context) < 0)
        return 0;
    for (int found = 0, n = 0; n < STEPS_MAX && step(&cursor) > 0; n++) {
        if (get_reg(&cursor, UNW_REG_IP, &pc) < 0 || get_reg(&cursor, UNW_REG_SP, &sp) < 0)
            return 0;
        if (found && get_reg(&cursor, UNW_X86_64_RBP, &fp) == 0) {
            if (pc < 4096 || sp <= r->sp)
                return 0;
            *r = (struct registers){.pc = pc, .sp = sp, .fp = fp};
            return 1;
        }
        found = pc == r->pc && sp == r->sp;
    }
    return 0;
}

int unwind_step(struct registers *r)
{
    if (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE) || !sys_may(SYS_KIND_UNWIND) || own_work())
        return 0;
    int saved_errno = errno;
    uintptr_t before = own_begin();
    flush_if_loaded();
    int stepped = step_from(r);
    own_end(before);
    errno = saved_errno;
    return stepped;
}
