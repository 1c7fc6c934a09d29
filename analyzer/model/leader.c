/* leader.c - see leader.h. */
#include "leader.h"

/* Is it `self`, or what that became? */
static int is_self(const struct family *f, size_t i)
{
    while (i != f->self && f->kin[i].kind == KIN_BECAME)
        i = f->kin[i].starter;
    return i == f->self;
}

size_t leader_biggest(const struct family *family)
{
    size_t biggest = KIN_NONE;
    for (size_t k = 0; k < family->order_count; k++) {
        size_t i = family->order[k];
        uint64_t peak = family->relatives[i].totals.peak_bytes;
        if (!is_self(family, i) && family->relatives[i].has_figures &&
            (biggest == KIN_NONE || peak > family->relatives[biggest].totals.peak_bytes))
            biggest = i;
    }
    return biggest;
}

static uint64_t own_peak(const struct family *f)
{
    uint64_t own = 0;
    for (size_t k = 0; k < f->order_count; k++) {
        size_t i = f->order[k];
        if (is_self(f, i) && f->relatives[i].totals.peak_bytes > own)
            own = f->relatives[i].totals.peak_bytes;
    }
    return own;
}

int leader_only_starts(const struct family *family, size_t *biggest)
{
    *biggest = leader_biggest(family);
    return *biggest != KIN_NONE &&
           leader_is_mere(own_peak(family), family->relatives[*biggest].totals.peak_bytes);
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
