/* leader.c - see leader.h. */
#include "leader.h"

/* Is it `self`, or what that became? */
static int is_self(const struct family *f, size_t i)
{
    while (i != f->self && f->kin[i].kind == KIN_BECAME)
        i = f->kin[i].starter;
    return i == f->self;
}

static uint64_t held_by(const struct family *f, size_t i, enum series series)
{
    return totals_peak(&f->relatives[i].totals, series).bytes;
}

size_t leader_biggest(const struct family *family, enum series series)
{
    size_t biggest = KIN_NONE;
    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        if (!is_self(family, i) && family->relatives[i].has_figures &&
            (biggest == KIN_NONE || held_by(family, i, series) > held_by(family, biggest, series)))
            biggest = i;
    }
    return biggest;
}

static uint64_t own_peak(const struct family *f, enum series series)
{
    uint64_t own = 0;
    for (size_t k = 0; k < f->order_count; k++) {
        size_t i = f->order[k];
        if (is_self(f, i) && held_by(f, i, series) > own)
            own = held_by(f, i, series);
    }
    return own;
}

int leader_only_starts_by(const struct family *family, enum series series, size_t *biggest)
{
    *biggest = leader_biggest(family, series);
    return *biggest != KIN_NONE &&
           leader_is_mere(own_peak(family, series), held_by(family, *biggest, series));
}

int leader_only_starts(const struct family *family, size_t *biggest)
{
    return leader_only_starts_by(family, SERIES_MEMORY, biggest);
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
