/* high_water.c - reads /proc/self/status in small pieces, as the stack may be an alternate one. */
#include "high_water.h"
#include "spool_map.h"
#include "sys.h"

struct search {
    uint32_t matched; /* bytes of the wanted text that were just read */
    int is_over;
    uint64_t kib;
};

/* The line is "VmHWM:", blanks, a number and " kB". */
static void look_at(struct search *s, char c)
{
    static const char wanted[] = "\nVmHWM:";
    if (s->matched < sizeof wanted - 1)
        s->matched = c == wanted[s->matched] ? s->matched + 1 : c == '\n';
    else if (c >= '0' && c <= '9')
        s->kib = s->kib * 10 + (uint64_t)(c - '0');
    else
        s->is_over = c == 'k';
}

static uint64_t read_mark(void)
{
    char piece[64];
    struct search s = {0, 0, 0};
    long got, fd = sys_open("/proc/self/status", O_RDONLY, 0);
    if (fd < 0)
        return 0;
    while (!s.is_over && (got = sys_read(fd, piece, sizeof piece)) > 0)
        for (long i = 0; i < got && !s.is_over; i++)
            look_at(&s, piece[i]);
    sys_close(fd);
    return s.is_over ? s.kib << 10 : 0;
}

void high_water_note(void)
{
    uint64_t *marks = (uint64_t *)((uint8_t *)spool.control + SPOOL_HIGH_WATER_OFFSET);
    uint32_t serial = spool.process_serial;
    uint64_t mark = serial < SPOOL_HIGH_WATER_COUNT ? read_mark() : 0;
    if (mark)
        __atomic_store_n(&marks[serial], mark, __ATOMIC_RELAXED);
}
