/* lives.c - see lives.h. */
#include "lives.h"

size_t lives_before(const struct family *family, size_t i)
{
    return family->kin[i].kind == KIN_BECAME ? family->kin[i].starter : KIN_NONE;
}

size_t lives_bigger_before(const struct family *family, size_t i, enum series series)
{
    uint64_t most = totals_peak(&family->relatives[i].totals, series).bytes;
    size_t biggest = KIN_NONE;
    while ((i = lives_before(family, i)) != KIN_NONE) {
        uint64_t held = totals_peak(&family->relatives[i].totals, series).bytes;
        biggest = held > most ? i : biggest;
        most = held > most ? held : most;
    }
    return biggest;
}
