/*
 * trap_ownmalloc.cc - a program with a malloc of its own, which calls mmap, syscall and prctl with its lock held.
 *
 * BUILD -O0 -pthread
 *
 * libstdc++'s constructor calls it before the recorder's own constructor has run: a hook that looked for
 * its next function then would come back here, to the lock. tests/e2e/test_trap_ownmalloc.sh runs it.
 * Its blocks are nobody's to see; its mapping is recorded.
 */
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *pool;
static size_t used;
static const size_t POOL = 16 << 20;

extern "C" void *malloc(size_t size)
{
    pthread_mutex_lock(&lock);
    if (!pool) {
        char name[16];
        prctl(PR_GET_NAME, name, 0, 0, 0);
        syscall(SYS_getpid);
        pool = (char *)mmap(nullptr, POOL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    size_t *block = (size_t *)(pool + used);
    used += (size + 31) & ~(size_t)15;
    *block = size;
    pthread_mutex_unlock(&lock);
    return used > POOL ? nullptr : block + 2;
}

extern "C" void free(void *) {}

extern "C" void *calloc(size_t count, size_t size)
{
    void *p = malloc(count * size);
    return p ? memset(p, 0, count * size) : p;
}

extern "C" void *realloc(void *old, size_t size)
{
    void *p = malloc(size);
    size_t had = old ? ((size_t *)old)[-2] : 0;
    return old && p ? memcpy(p, old, had < size ? had : size) : p;
}

int main()
{
    errno = 0;
    bool failed = mmap(nullptr, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL;
    const char *nobody_looked = dlerror();
    int *ten = new int[10]();
    std::printf("%d %d %s\n", failed, ten[9], nobody_looked ? nobody_looked : "clear");
    delete[] ten;
    return 0;
}
