/*
 * trap_thrower.cc - a plugin for trap_catcher.cc whose functions let exceptions pass; no case of its
 * own.
 *
 * BUILD -O0 -shared -fPIC
 */
#include <new>

extern "C" void *throw_through(void *(*call)(int), int argument)
{
    struct guard {
        char *block = new char[50];
        ~guard() { delete[] block; }
    } held;
    return call(argument + (held.block == nullptr));
}

extern "C" void *ask_too_much(int argument)
{
    return new char[(1ul << 62) + static_cast<unsigned long>(argument)];
}
