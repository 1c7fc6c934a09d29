/*
 * newfail.cc - a failing operator new throws or returns null, asks its handler, and counts nothing.
 *
 * BUILD -O0 -Wno-alloc-size-larger-than
 * VALGRIND no: it ends the program where new cannot be met
 *
 * The two allocations below `refused` are exception objects, which are freed: the form that returns
 * null calls the one that throws. The first new asks malloc again after each of three calls of the
 * handler, so five requests fail in all.
 *
 * EXPECT refused self allocations 0
 * EXPECT refused inclusive allocations 2
 * EXPECT refused inclusive live_at_end_blocks 0
 * EXPECT failed_allocations 5
 * FAILED 5 9223372036854771711 refused main
 * EXPECT kept self allocations 1
 * EXPECT kept self live_at_end_bytes 48
 */
#include <cstdint>
#include <new>

static volatile std::size_t huge = SIZE_MAX / 2 - 4096;
static int asked;

static void handler()
{
    if (++asked == 3)
        std::set_new_handler(nullptr);
}

static bool refused()
{
    bool thrown = false;
    std::set_new_handler(handler);
    try {
        operator delete(operator new(huge));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    return thrown && asked == 3 && !operator new(huge, std::nothrow);
}

static char *kept()
{
    return new char[48];
}

int main()
{
    static char *p;
    if (!refused())
        return 1;
    p = kept();
    return p ? 0 : 1;
}
