/* range_table.c - see range_table.h. */
#include "range_table.h"

#include <stdlib.h>

#include "string_pool.h"

void range_table_add(struct range_table *table, uint64_t low, uint64_t high, uint32_t owner)
{
    if (low >= high)
        return;
    table->items =
        symbol_array_grow(table->items, table->count, &table->capacity, sizeof *table->items);
    table->items[table->count++] = (struct range){.low = low, .high = high, .owner = owner};
}

/* By begin; at the same begin the longest first, so that going back meets the shortest first. */
static int compare_ranges(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->high != y->high)
        return x->high > y->high ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

void range_table_finish(struct range_table *table)
{
    uint64_t reach = 0;
    if (table->count)
        qsort(table->items, table->count, sizeof *table->items, compare_ranges);
    for (size_t i = 0; i < table->count; i++) {
        if (table->items[i].high > reach)
            reach = table->items[i].high;
        table->items[i].reach = reach;
    }
}

uint32_t range_table_find(const struct range_table *table, uint64_t address)
{
    size_t low = 0, high = table->count; /* items[low..] begin after the address */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->items[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    while (low > 0 && table->items[low - 1].reach > address) {
        low--;
        if (address < table->items[low].high)
            return table->items[low].owner;
    }
    return RANGE_NONE;
}

void range_table_clear(struct range_table *table)
{
    free(table->items);
    *table = (struct range_table){0};
}
