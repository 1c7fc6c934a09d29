/*
 * tls_modules.c - prints how many loaded objects have thread-local storage; no case of its own.
 *
 * BUILD -O0
 */
#include <link.h>
#include <stdio.h>

static int count(struct dl_phdr_info *info, size_t size, void *total)
{
    (void)size;
    *(int *)total += info->dlpi_tls_modid != 0;
    return 0;
}

int main(void)
{
    int total = 0;
    dl_iterate_phdr(count, &total);
    printf("%d\n", total);
    return 0;
}
