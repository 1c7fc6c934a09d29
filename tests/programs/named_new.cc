/*
 * named_new.cc - operators new that are the program's own functions, and those that are the language's.
 *
 * BUILD -O0
 * VALGRIND exact
 *
 * A placement form with an arena, a class's own operator and a function called like one are functions like
 * others. The replaceable form counts for its caller, as it does in libstdc++.
 *
 * EXPECT operator\_new(unsigned\_long,\_Arena&) self allocated_bytes 201
 * EXPECT new self allocated_bytes 202
 * EXPECT operator_new_ish() self allocated_bytes 203
 * EXPECT by_the_language self allocated_bytes 204
 * EXPECT operator\_new(unsigned\_long) self absent 1
 */
#include <cstdlib>
#include <new>

static void *volatile kept;

struct Arena {
} arena;

void *operator new(size_t, Arena &)
{
    return malloc(201);
}

struct Pooled {
    static void *operator new(size_t) { return malloc(202); }
    static void operator delete(void *p) { free(p); }
};

void *operator new(size_t bytes)
{
    return malloc(bytes);
}

void operator delete(void *p) noexcept
{
    free(p);
}

void operator delete(void *p, size_t) noexcept
{
    free(p);
}

static void operator_new_ish()
{
    kept = malloc(203);
}

static void by_the_language()
{
    kept = ::operator new(204);
}

int main()
{
    kept = new (arena) char;
    kept = new Pooled;
    operator_new_ish();
    by_the_language();
    return 0;
}
