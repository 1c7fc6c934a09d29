/* leader.c - see leader.h. */
#include "leader.h"

/* Is it `self`, or what that became? */
static int is_judged(const struct family *f, size_t i, enum leader_what what)
{
    while (what == LEADER_PROCESS && i != f->self && f->kin[i].kind == KIN_BECAME)
        i = f->kin[i].starter;
    return i == f->self;
}

static uint64_t held_by(const struct family *f, size_t i, enum series series)
{
    return totals_peak(&f->relatives[i].totals, series).bytes;
}

size_t leader_biggest(const struct family *family, enum series series, enum leader_what what)
{
    size_t biggest = KIN_NONE;
    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        if (!is_judged(family, i, what) && family->relatives[i].has_figures &&
            (biggest == KIN_NONE || held_by(family, i, series) > held_by(family, biggest, series)))
            biggest = i;
    }
    return biggest;
}

static uint64_t own_peak(const struct family *f, enum series series, enum leader_what what)
{
    uint64_t own = 0;
    for (size_t k = 0; k < f->order_count; k++) {
        size_t i = f->order[k];
        if (is_judged(f, i, what) && held_by(f, i, series) > own)
            own = held_by(f, i, series);
    }
    return own;
}

int leader_only_starts_by(const struct family *family, enum series series, enum leader_what what,
                          size_t *biggest)
{
    size_t other = leader_biggest(family, series, LEADER_PROCESS);
    *biggest = leader_biggest(family, series, what);
    return other != KIN_NONE &&
           leader_is_mere(own_peak(family, series, what), held_by(family, other, series));
}

int leader_only_starts(const struct family *family, size_t *biggest)
{
    return leader_only_starts_by(family, SERIES_MEMORY, LEADER_PROCESS, biggest);
}

size_t leader_last_image(const struct family *family)
{
    size_t last = family->self;
    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        if (family->kin[i].kind == KIN_BECAME && family->kin[i].starter == last)
            last = i;
    }
    return last;
}
