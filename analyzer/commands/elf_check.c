/* elf_check.c - see elf_check.h. */
#include "elf_check.h"
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SCRIPT_DEPTH 5 /* the kernel follows no more interpreters of interpreters */
#define SCRIPT_LINE  256

#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#else
#define OWN_MACHINE EM_AARCH64
#endif

/* Runtimes that bring an allocator of their own and end the program when another library comes
 * before them: the library needed or, where the runtime is linked in, the symbol defined. */
static const struct {
    const char *library, *symbol, *name;
} sanitizers[] = {
    {"libasan.so", "__asan_init", "AddressSanitizer"},
    {"libclang_rt.asan", "__asan_init", "AddressSanitizer"},
    {"libhwasan.so", "__hwasan_init", "HWAddressSanitizer"},
    {"libtsan.so", "__tsan_init", "ThreadSanitizer"},
    {"libclang_rt.tsan", "__tsan_init", "ThreadSanitizer"},
    {"libmsan.so", "__msan_init", "MemorySanitizer"},
    {"liblsan.so", "__lsan_init", "LeakSanitizer"},
    {"libclang_rt.memprof", "__memprof_init", "clang's memory profiler"},
};
#define SANITIZERS (sizeof sanitizers / sizeof sanitizers[0])

/* The interpreter of a script, "" where the file is none. */
static void script_interpreter(int fd, char *interpreter)
{
    char line[SCRIPT_LINE + 1];
    ssize_t got = pread(fd, line, SCRIPT_LINE, 0);

    interpreter[0] = '\0';
    if (got < 3 || line[0] != '#' || line[1] != '!')
        return;
    line[got] = '\0';
    char *begin = line + 2 + strspn(line + 2, " \t");
    begin[strcspn(begin, " \t\r\n")] = '\0';
    snprintf(interpreter, PATH_MAX, "%s", begin);
}

/* Would the kernel start this file with AT_SECURE set? Returns what makes it so, or NULL. */
static const char *secure_start(int fd)
{
    struct stat st;
    struct statvfs fs;

    if (fstat(fd, &st) != 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return NULL;
    if (fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOSUID))
        return NULL;
    if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
        return "setuid";
    if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid())
        return "setgid";
    if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
        return "privileged (it has file capabilities)";
    return NULL;
}

static Elf_Scn *section_of_type(Elf *elf, GElf_Word type, GElf_Shdr *header)
{
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;)
        if (gelf_getshdr(section, header) != NULL && header->sh_type == type)
            return section;
    return NULL;
}

static const char *sanitizer_of_library(const char *library)
{
    for (size_t i = 0; i < SANITIZERS; i++)
        if (strncmp(library, sanitizers[i].library, strlen(sanitizers[i].library)) == 0)
            return sanitizers[i].name;
    return NULL;
}

static const char *sanitizer_of_symbol(const char *symbol)
{
    for (size_t i = 0; i < SANITIZERS; i++)
        if (strcmp(symbol, sanitizers[i].symbol) == 0)
            return sanitizers[i].name;
    return NULL;
}

static const char *needed_sanitizer(Elf *elf)
{
    GElf_Shdr header;
    Elf_Scn *section = section_of_type(elf, SHT_DYNAMIC, &header);
    Elf_Data *data = section != NULL ? elf_getdata(section, NULL) : NULL;
    GElf_Dyn entry;

    for (int i = 0; data != NULL && gelf_getdyn(data, i, &entry) != NULL; i++) {
        if (entry.d_tag == DT_NULL)
            break;
        const char *name =
            entry.d_tag == DT_NEEDED ? elf_strptr(elf, header.sh_link, entry.d_un.d_val) : NULL;
        const char *found = name != NULL ? sanitizer_of_library(name) : NULL;
        if (found != NULL)
            return found;
    }
    return NULL;
}

/* Looks through the symbols that the program itself defines: a linked-in runtime shows by its start
 * function, an allocator by malloc (which the linker exports because libc has one, too). */
static void judge_symbols(Elf *elf, GElf_Word table, struct elf_report *report)
{
    GElf_Shdr header;
    Elf_Scn *section = section_of_type(elf, table, &header);
    Elf_Data *data = section != NULL ? elf_getdata(section, NULL) : NULL;
    GElf_Sym symbol;

    for (int i = 0; data != NULL && gelf_getsym(data, i, &symbol) != NULL; i++) {
        const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
        if (name == NULL || symbol.st_shndx == SHN_UNDEF)
            continue;
        const char *sanitizer = sanitizer_of_symbol(name);
        if (sanitizer != NULL) {
            report->verdict = ELF_SANITIZER;
            report->detail = sanitizer;
            return;
        }
        if (table == SHT_DYNSYM && strcmp(name, "malloc") == 0)
            report->verdict = ELF_OWN_MALLOC;
    }
}

/* The path of the dynamic loader that the program asks for, "" for none. */
static void loader_path(Elf *elf, int fd, char *loader)
{
    size_t count = 0;
    GElf_Phdr header;

    loader[0] = '\0';
    elf_getphdrnum(elf, &count);
    for (size_t i = 0; i < count; i++) {
        if (gelf_getphdr(elf, (int)i, &header) == NULL || header.p_type != PT_INTERP)
            continue;
        size_t bytes = header.p_filesz < PATH_MAX ? header.p_filesz : PATH_MAX - 1;
        ssize_t got = pread(fd, loader, bytes, (off_t)header.p_offset);
        loader[got > 0 ? got : 0] = '\0';
        return;
    }
}

/* glibc's own loader, started as a program, has no loader and yet preloads. */
static int is_loader(Elf *elf)
{
    GElf_Shdr header;
    Elf_Scn *section = section_of_type(elf, SHT_DYNAMIC, &header);
    Elf_Data *data = section != NULL ? elf_getdata(section, NULL) : NULL;
    GElf_Dyn entry;

    for (int i = 0; data != NULL && gelf_getdyn(data, i, &entry) != NULL; i++) {
        const char *name =
            entry.d_tag == DT_SONAME ? elf_strptr(elf, header.sh_link, entry.d_un.d_val) : NULL;
        if (name != NULL && strncmp(name, "ld-linux", 8) == 0)
            return 1;
    }
    return 0;
}

static void judge_elf(Elf *elf, int fd, struct elf_report *report)
{
    GElf_Ehdr header;
    char loader[PATH_MAX];

    if (gelf_getehdr(elf, &header) == NULL)
        return;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != OWN_MACHINE) {
        report->verdict = ELF_OTHER_MACHINE;
        return;
    }
    loader_path(elf, fd, loader);
    if (loader[0] == '\0') {
        report->verdict = is_loader(elf) ? ELF_RECORDABLE : ELF_STATIC;
        return;
    }
    if (strstr(loader, "ld-musl") != NULL) {
        report->verdict = ELF_OTHER_LIBC;
        report->detail = "musl";
        return;
    }
    const char *sanitizer = needed_sanitizer(elf);
    if (sanitizer != NULL) {
        report->verdict = ELF_SANITIZER;
        report->detail = sanitizer;
        return;
    }
    judge_symbols(elf, SHT_DYNSYM, report);
    if (report->verdict == ELF_OWN_MALLOC) /* perhaps a sanitizer's, which exports little else */
        judge_symbols(elf, SHT_SYMTAB, report);
}

static void judge_file(int fd, struct elf_report *report)
{
    const char *secure = secure_start(fd);

    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf != NULL && elf_kind(elf) == ELF_K_ELF)
        judge_elf(elf, fd, report);
    elf_end(elf);
    if (secure != NULL && elf_check_may_preload(report->verdict)) {
        report->verdict = ELF_SECURE;
        report->detail = secure;
    }
}

void elf_check(const char *path, struct elf_report *report)
{
    char interpreter[PATH_MAX];

    report->verdict = ELF_RECORDABLE;
    report->detail = "";
    snprintf(report->file, sizeof report->file, "%s", path);
    for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
        struct stat st;
        int fd = open(report->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
            return;
        if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
            close(fd);
            return;
        }
        script_interpreter(fd, interpreter);
        if (interpreter[0] == '\0')
            judge_file(fd, report);
        close(fd);
        if (interpreter[0] == '\0')
            return;
        snprintf(report->file, sizeof report->file, "%s", interpreter);
    }
}

const char *elf_check_sentence(const struct elf_report *report, char *buffer, int bytes)
{
    size_t size = (size_t)bytes;

    switch (report->verdict) {
    case ELF_RECORDABLE:
        return NULL;
    case ELF_STATIC:
        snprintf(buffer, size,
                 "is statically linked, so its own memory cannot be recorded; it runs all the same "
                 "(link it dynamically, or build a Go program with cgo, to record it)");
        break;
    case ELF_OWN_MALLOC:
        snprintf(
            buffer, size,
            "has an allocator of its own linked in, whose blocks cannot be recorded; what it maps "
            "is, by stack (link it without, or with a shared allocator, to record blocks)");
        break;
    case ELF_SECURE:
        snprintf(buffer, size,
                 "is %s, so the system preloads nothing and it cannot be recorded; it runs all the "
                 "same (record a copy without the privilege, or run as its owner)",
                 report->detail);
        break;
    case ELF_SANITIZER:
        snprintf(buffer, size,
                 "was built with %s, whose own allocator must come first, so it cannot be "
                 "recorded; it runs all the same (build it without to record it)",
                 report->detail);
        break;
    case ELF_OTHER_MACHINE:
        snprintf(buffer, size,
                 "is for another kind of processor than this mprof-c, so it cannot be recorded; it "
                 "runs all the same if the system can");
        break;
    case ELF_OTHER_LIBC:
        snprintf(
            buffer, size,
            "uses the C library %s, for which there is no recorder; it runs all the same (link "
            "it with glibc to record it)",
            report->detail);
        break;
    }
    return buffer;
}

int elf_check_may_preload(enum elf_verdict verdict)
{
    return verdict == ELF_RECORDABLE || verdict == ELF_STATIC || verdict == ELF_OWN_MALLOC;
}
