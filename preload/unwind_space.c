/* unwind_space.c - libunwind's library, and the accessors by which it sees us. */
#include "unwind_space.h"
#include "loaded.h"
#include "objects.h"
#include "sys.h"
#include "word.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/stat.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
/* Not in libunwind.h, but libunwind's own -ptrace and -coredump are built on it. */
#define SEARCH UNW_OBJ(dwarf_search_unwind_table)

int (*unwind_step_cursor)(unw_cursor_t *);
int (*unwind_get_register)(unw_cursor_t *, unw_regnum_t, unw_word_t *);
int (*unwind_get_procedure)(unw_cursor_t *, unw_proc_info_t *);
static int (*search)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int,
                     void *);
static int (*init_remote)(unw_cursor_t *, unw_addr_space_t, void *);
static void (*flush)(unw_addr_space_t, unw_word_t, unw_word_t);
static unw_addr_space_t space;

/* ---- memory and registers ---- */

/* address: a multiple of 8. */
static int access_mem(unw_addr_space_t as, unw_word_t address, unw_word_t *value, int write,
                      void *argument)
{
    struct unwind_visitor *v = argument;
    uintptr_t page = address / SYS_PAGE;
    uintptr_t *known = &v->readable[page % UNWIND_PAGES];
    (void)as;
    if (write || page == 0 || (*known != page && !sys_readable(address)))
        return -UNW_EINVAL;
    *known = page;
    *value = *(const unw_word_t *)address;
    return 0;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t number, unw_word_t *value, int write,
                      void *argument)
{
    const struct unwind_visitor *v = argument;
    (void)as;
    if (write || number < 0 || number >= ARCH_DWARF_REGISTERS)
        return -UNW_EBADREG;
    *value = v->registers[number];
    return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t number, unw_fpreg_t *value, int write,
                        void *argument)
{
    (void)as, (void)number, (void)value, (void)write, (void)argument;
    return -UNW_EBADREG;
}

/* ---- call frame information ---- */

/* .eh_frame_hdr: version, three encodings, the pointer to .eh_frame, the count, the table. Takes
 * only the encodings that all linkers write: 4 bytes, the table relative to the header. */
static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *info, int need,
                          void *argument)
{
    struct object object;
    unw_dyn_info_t table = {.format = UNW_INFO_FORMAT_REMOTE_TABLE};
    if (!object_find(ip, &object) || !object.eh_frame_hdr)
        return -UNW_ENOINFO;
    const uint8_t *header = object.eh_frame_hdr;
    uint32_t count;
    if (header[0] != 1 || header[2] != 0x03 || header[3] != 0x3b || (header[1] & 15) % 8 != 3)
        return -UNW_ENOINFO;
    memcpy(&count, header + 8, sizeof count);
    table.start_ip = object.start;
    table.end_ip = object.end;
    table.u.rti.segbase = (uintptr_t)header;
    table.u.rti.table_data = (uintptr_t)header + 12;
    table.u.rti.table_len = count; /* in words of 8 bytes: an entry each */
    return search(as, ip, &table, info, need, argument);
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *info, void *argument)
{
    (void)as, (void)info, (void)argument; /* libunwind keeps what it made itself */
}

static int no_dynamic_list(unw_addr_space_t as, unw_word_t *list, void *argument)
{
    (void)as, (void)list, (void)argument;
    return -UNW_ENOINFO;
}

static int no_resume(unw_addr_space_t as, unw_cursor_t *cursor, void *argument)
{
    (void)as, (void)cursor, (void)argument;
    return -UNW_EINVAL;
}

/* ---- the library ---- */

/*
 * When it starts, libunwind opens a pipe, to test memory by writing it there. Only its code for its
 * own process does so, which we do not use; and the host must not find descriptors that it never
 * opened.
 */
static long lowest_descriptor(void)
{
    long fd = sys_open("/", O_PATH | O_DIRECTORY, 0);
    if (fd >= 0)
        sys_close(fd);
    return fd;
}

static int is_pipe(long fd, struct stat *s)
{
    return SYS_CALL(SYS_fstat, fd, s, 0, 0, 0, 0) == 0 && S_ISFIFO(s->st_mode) &&
           SYS_CALL(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) == FD_CLOEXEC;
}

/* One end is the descriptor that was the lowest free one; the other has the same inode. */
static void close_pipe(long end)
{
    struct stat one, other;
    if (end < 0 || !is_pipe(end, &one))
        return;
    for (long fd = end + 1; fd < end + 256; fd++)
        if (is_pipe(fd, &other) && other.st_ino == one.st_ino && other.st_dev == one.st_dev) {
            sys_close(fd);
            sys_close(end);
            return;
        }
}

#define LIBRARY "libunwind-x86_64.so.8"

static void *own_function(const struct link_map *object, const char *name)
{
    return lookup_address(lookup_in(object, name, NULL));
}

static int is_of_memory(const char *name)
{
    return lookup_is_same(name, "malloc") || lookup_is_same(name, "calloc") ||
           lookup_is_same(name, "realloc") || lookup_is_same(name, "free");
}

/*
 * Binds what libunwind calls of libc to libc: what the program, or a library before libc, has by
 * the name of mmap or getenv may not be ready yet. But for what allocates: that stays with our
 * hooks, and is served from our arena. (RTLD_DEEPBIND would bind the libraries that libunwind needs
 * so, too, and the program may come to use those.)
 */
static void bind(const struct link_map *library, uintptr_t table, size_t bytes)
{
    const ElfW(Rela) *r = (const ElfW(Rela) *)table, *end = r + bytes / sizeof *r;
    const ElfW(Sym) *symbols = (const ElfW(Sym) *)lookup_table(library, DT_SYMTAB);
    for (; table && r < end; r++) {
        const ElfW(Sym) *symbol = &symbols[r->r_info >> 32];
        const char *name = lookup_name(library, symbol);
        if (!arch_is_pointer((uint32_t)r->r_info) || symbol->st_shndx != SHN_UNDEF ||
            is_of_memory(name))
            continue;
        void *function = own_function(lookup_libc(), name);
        if (function)
            word_store(library, library->l_addr + r->r_offset, (uintptr_t)function);
    }
}

static const struct link_map *open_bound(void)
{
    int is_programs = lookup_named(LIBRARY) != NULL; /* then it is bound as the program's */
    const struct link_map *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library && !is_programs && lookup_libc()) {
        bind(library, lookup_table(library, DT_RELA), lookup_number(library, DT_RELASZ));
        bind(library, lookup_table(library, DT_JMPREL), lookup_number(library, DT_PLTRELSZ));
    }
    return library;
}

int unwind_space_open(void)
{
    static unw_accessors_t accessors = {.find_proc_info = find_proc_info,
                                        .put_unwind_info = put_unwind_info,
                                        .get_dyn_info_list_addr = no_dynamic_list,
                                        .access_mem = access_mem,
                                        .access_reg = access_reg,
                                        .access_fpreg = access_fpreg,
                                        .resume = no_resume};
    const struct link_map *library = open_bound();
    if (!library)
        return 0;
    /* The macros of libunwind.h put their target's prefix before the names. */
    unw_addr_space_t (*create)(unw_accessors_t *, int) =
        own_function(library, TEXT(unw_create_addr_space));
    int (*cache)(unw_addr_space_t, unw_caching_policy_t) =
        own_function(library, TEXT(unw_set_caching_policy));
    unwind_step_cursor = own_function(library, TEXT(unw_step));
    unwind_get_register = own_function(library, TEXT(unw_get_reg));
    unwind_get_procedure = own_function(library, TEXT(unw_get_proc_info));
    flush = own_function(library, TEXT(unw_flush_cache));
    init_remote = own_function(library, TEXT(unw_init_remote));
    search = own_function(library, TEXT(SEARCH));
    if (!create || !cache || !unwind_step_cursor || !unwind_get_register || !unwind_get_procedure ||
        !init_remote || !flush || !search || !(space = create(&accessors, 0)))
        return 0;
    long lowest = lowest_descriptor();
    cache(space, UNW_CACHE_GLOBAL); /* this starts libunwind */
    close_pipe(lowest);
    return 1;
}

int unwind_space_enter(unw_cursor_t *cursor, struct unwind_visitor *visitor)
{
    /* libunwind remembers rules by pc, even past a dlclose. */
    static uint32_t flushed;
    uint32_t generation = __atomic_load_n(&loaded_generation, __ATOMIC_RELAXED);
    if (flushed != generation)
        flush(space, 0, 0);
    flushed = generation;
    memset(visitor->readable, 0, sizeof visitor->readable);
    return init_remote(cursor, space, visitor) == 0;
}
