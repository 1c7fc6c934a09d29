/* selfcheck.c - our walk beside libunwind's. */
#include "selfcheck.h"
#include "cfi.h"
#include "loaded.h"
#include "record.h"
#include "step.h"
#include "sys.h"
#include "unwind.h"

#include <string.h>

uint32_t selfcheck_every;
static uint32_t counter, reported;

#define REPORTS_MAX 1000 /* per process: a mistake must not fill the disk */
#define BEFORE      32   /* equal frames that a report shows before the difference */
#define BEHIND      32   /* frames of either walk from the difference on */

void selfcheck_start(uint64_t every)
{
    selfcheck_every = every > UINT32_MAX ? UINT32_MAX : (uint32_t)every;
}

/* ---- the comparison ---- */

struct comparison {
    const struct memo_frame *frames; /* ours, outermost first */
    uint32_t count;
    int cut;        /* ours did not reach the end */
    uint32_t equal; /* innermost frames in which both agree */
    int differ;
    uint32_t their_count; /* libunwind's from the difference on */
    uintptr_t theirs[BEHIND];
};

static const struct memo_frame *ours(const struct comparison *c, uint32_t i)
{
    return &c->frames[c->count - 1 - i];
}

static uintptr_t code_of(const struct memo_frame *f)
{
    return f->reached == REACHED_BY_SIGNAL ? f->pc : f->pc - 1;
}

/* Without call frame information the next frame would be a guess on both sides. Where only we see
 * none, that is our mistake: what libunwind makes of it is compared. */
static int is_guesswork(const struct memo_frame *f, const struct unwind_view *view)
{
    struct cfi_module module;
    uint32_t serial;
    if (loaded_module(code_of(f), &module, &serial) &&
        cfi_rule(&module, code_of(f)).kind != RULE_NONE)
        return 0;
    return !unwind_has_information(view);
}

static int difference(struct comparison *c, uintptr_t pc)
{
    c->differ = 1;
    if (c->their_count < BEHIND)
        c->theirs[c->their_count++] = pc;
    return c->their_count < BEHIND;
}

/* Compares a frame of libunwind's. Returns 0 when there is nothing more to learn. */
static int compare(void *context, uintptr_t pc, uintptr_t sp, const struct unwind_view *view)
{
    struct comparison *c = context;
    if (c->differ)
        return difference(c, pc);
    if (c->equal + (uint32_t)c->cut == c->count) { /* ours has ended */
        if (c->cut && c->count > WALK_DEPTH_MAX)
            return 0;
        return difference(c, pc); /* and libunwind knew how to go on */
    }
    const struct memo_frame *f = ours(c, c->equal);
    if (f->pc != pc || f->sp != sp)
        return difference(c, pc);
    c->equal++;
    return !is_guesswork(f, view);
}

/* ---- the report ---- */

static uint32_t id_of(uintptr_t pc)
{
    struct cfi_module module;
    uint32_t serial = 0;
    loaded_module(pc - 1, &module, &serial);
    return serial ? loaded_pc_id(pc, serial, 0) : SPOOL_FRAME_RAW;
}

static uint8_t *put_ours(uint8_t *p, const struct comparison *c, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        p += spool_encode_frame(p, ours(c, i)->id, ours(c, i)->pc);
    return p;
}

static void tell(struct thread *t, const struct comparison *c)
{
    if (__atomic_fetch_add(&reported, 1, __ATOMIC_RELAXED) >= REPORTS_MAX)
        return;
    uint8_t *page = sys_pages(SPOOL_PAGE); /* the host's stack may be small */
    if (!page)
        return;
    uint32_t first = c->equal > BEFORE ? c->equal - BEFORE : 0;
    uint32_t end = c->count - c->equal > BEHIND ? c->equal + BEHIND : c->count;
    uint32_t head[3] = {end - first, c->equal - first + c->their_count, first};
    uint8_t *p = page;
    memcpy(p, head, sizeof head);
    p = put_ours(p + sizeof head, c, first, end);
    p = put_ours(p, c, first, c->equal);
    for (uint32_t i = 0; i < c->their_count; i++)
        p += spool_encode_frame(p, id_of(c->theirs[i]), c->theirs[i]);
    record_label(t, SPOOL_LABEL_DIFFERENCE, page, (size_t)(p - page));
    sys_unmap(page, SPOOL_PAGE);
}

_Static_assert(12 + SPOOL_FRAME_MAX * 2 * (BEFORE + BEHIND) + 8 <= SPOOL_PAGE, "it fits");

__attribute__((noinline)) void selfcheck_differs(void)
{
    __atomic_fetch_add(&spool.process->differing, 1, __ATOMIC_RELAXED);
}

__attribute__((noinline)) void selfcheck_slow(struct thread *t, struct registers caller)
{
    struct comparison c = {.count = t->memo.count};
    if (__atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED) % selfcheck_every != 0 || !c.count)
        return;
    c.frames = memo_frames(&t->memo);
    c.cut = c.frames[0].id == SPOOL_FRAME_UNKNOWN;
    enum unwound how = unwind_stack(caller, compare, &c);
    if (how == UNWOUND_NOT)
        return;
    if (how == UNWOUND_END && c.equal + (uint32_t)c.cut < c.count)
        c.differ = 1; /* ours goes on where libunwind has ended */
    __atomic_fetch_add(&spool.process->checked, 1, __ATOMIC_RELAXED);
    if (__builtin_expect(!c.differ, 1))
        return;
    selfcheck_differs();
    tell(t, &c);
}
