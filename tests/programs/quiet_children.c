/* Children that record nothing and are long gone when the program ends: the collector gives up what it kept for
 * them while the program runs.
 * BUILD -O0
 * VALGRIND no: it counts each process by itself
 * EXPECT allocations 40
 * EXPECT frees 40
 * EXPECT allocated_bytes 1280
 * EXPECT child 1 allocations 0
 * EXPECT child 2 allocations 0
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 40; i++) {
        void *block = malloc(32);
        if (i < 2 && fork() == 0)
            _exit(0);
        if (i < 2)
            wait(NULL);
        struct timespec pause = {.tv_nsec = 100000000}; /* it looks for the dead once a second */
        nanosleep(&pause, NULL);
        free(block);
    }
    return 0;
}
