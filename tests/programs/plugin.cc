/*
 * plugin.cc - a C++ plugin for plugin_host.c; no case of its own.
 *
 * BUILD -O0 -shared -fPIC
 */
#include <new>
#include <vector>

static std::vector<int> *kept;

extern "C" void plugin_work()
{
    std::vector<int> *v = new std::vector<int>(100); /* 24 bytes, then 400 */
    delete v;
    kept = new std::vector<int>(10); /* 24 bytes, then 40 */
}

extern "C" int plugin_catch()
{
    try {
        throw 42;
    } catch (int n) {
        return n;
    }
}
