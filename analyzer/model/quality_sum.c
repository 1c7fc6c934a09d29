/* quality_sum.c - see quality_sum.h. */
#include "quality_sum.h"

static void add_loss(struct loss *to, const struct loss *from, uint64_t shift_ns)
{
    uint64_t before = to->allocations + to->frees + to->others;
    if (from->allocations + from->frees + from->others > 0 &&
        (before == 0 || from->since_ns + shift_ns < to->since_ns))
        to->since_ns = from->since_ns + shift_ns;
    to->allocations += from->allocations;
    to->frees += from->frees;
    to->bytes += from->bytes;
    to->others += from->others;
    to->maps += from->maps;
    to->mapped_bytes += from->mapped_bytes;
    to->unplaced += from->unplaced;
    to->unplaced_events += from->unplaced_events;
}

void quality_add(struct quality *to, const struct quality *from, uint64_t shift_ns)
{
    add_loss(&to->loss, &from->loss, shift_ns);
    to->lost += from->lost;
    to->lost_bytes += from->lost_bytes;
    to->unmatched_frees += from->unmatched_frees;
    to->implied_frees += from->implied_frees;
    to->inherited += from->inherited;
    to->inherited_bytes += from->inherited_bytes;
    to->truncated_stacks += from->truncated_stacks;
    to->unresolved_frames += from->unresolved_frames;
    to->shortened += from->shortened;
    to->left_out += from->left_out;
    to->nameless_modules += from->nameless_modules;
    to->undebugged_modules += from->undebugged_modules;
    to->selfcheck_compared += from->selfcheck_compared;
    to->selfcheck_differences += from->selfcheck_differences;
}
