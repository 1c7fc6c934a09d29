/* test_elf_check.c - programs made by hand: what elf_check says of each. */
#include "elf_check.h"
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define GLIBC_LOADER "/lib64/ld-linux-x86-64.so.2"

struct program {
    int elf_class, machine;
    const char *loader; /* NULL: none */
    const char *needed, *soname, *symbol;
    int symbol_undefined;
};

static char folder[] = "/tmp/mprof-elf-XXXXXX";
static char path[128];

/* One fixed layout: header, program header, loader's name, strings, dynamic section, symbols,
 * section headers. */
struct image {
    Elf64_Ehdr header;
    Elf64_Phdr interp;
    char loader[64];
    char strings[256];
    Elf64_Dyn dynamic[3];
    Elf64_Sym symbols[2];
    Elf64_Shdr sections[4];
};

static size_t add_string(struct image *m, size_t *used, const char *text)
{
    size_t at = *used;

    strcpy(m->strings + at, text);
    *used += strlen(text) + 1;
    return at;
}

static void fill_dynamic(struct image *m, const struct program *p, size_t *used)
{
    int entries = 0;

    if (p->needed != NULL)
        m->dynamic[entries++] = (Elf64_Dyn){DT_NEEDED, {add_string(m, used, p->needed)}};
    if (p->soname != NULL)
        m->dynamic[entries++] = (Elf64_Dyn){DT_SONAME, {add_string(m, used, p->soname)}};
}

static void fill_sections(struct image *m)
{
    m->sections[1] = (Elf64_Shdr){.sh_type = SHT_STRTAB,
                                  .sh_offset = offsetof(struct image, strings),
                                  .sh_size = sizeof m->strings};
    m->sections[2] = (Elf64_Shdr){.sh_type = SHT_DYNAMIC,
                                  .sh_offset = offsetof(struct image, dynamic),
                                  .sh_size = sizeof m->dynamic,
                                  .sh_link = 1,
                                  .sh_entsize = sizeof(Elf64_Dyn)};
    m->sections[3] = (Elf64_Shdr){.sh_type = SHT_DYNSYM,
                                  .sh_offset = offsetof(struct image, symbols),
                                  .sh_size = sizeof m->symbols,
                                  .sh_link = 1,
                                  .sh_entsize = sizeof(Elf64_Sym)};
}

static void write_file(const void *bytes, size_t count)
{
    snprintf(path, sizeof path, "%s/program", folder);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, count), count);
    close(fd);
}

static void make_image(struct image *m, const struct program *p)
{
    size_t used = 1;

    memset(m, 0, sizeof *m);
    memcpy(m->header.e_ident, ELFMAG, SELFMAG);
    m->header.e_ident[EI_CLASS] = (unsigned char)p->elf_class;
    m->header.e_ident[EI_DATA] = ELFDATA2LSB;
    m->header.e_ident[EI_VERSION] = EV_CURRENT;
    m->header.e_type = ET_DYN;
    m->header.e_machine = (Elf64_Half)p->machine;
    m->header.e_version = EV_CURRENT;
    m->header.e_ehsize = sizeof m->header;
    m->header.e_phoff = offsetof(struct image, interp);
    m->header.e_phentsize = sizeof m->interp;
    m->header.e_phnum = 1;
    m->header.e_shoff = offsetof(struct image, sections);
    m->header.e_shentsize = sizeof(Elf64_Shdr);
    m->header.e_shnum = 4;
    m->interp.p_type = p->loader != NULL ? PT_INTERP : PT_NOTE;
    m->interp.p_offset = offsetof(struct image, loader);
    if (p->loader != NULL) {
        strcpy(m->loader, p->loader);
        m->interp.p_filesz = strlen(p->loader) + 1;
    }
    fill_dynamic(m, p, &used);
    if (p->symbol != NULL)
        m->symbols[1] = (Elf64_Sym){.st_name = (Elf64_Word)add_string(m, &used, p->symbol),
                                    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
                                    .st_shndx = p->symbol_undefined ? SHN_UNDEF : 1};
    fill_sections(m);
}

static enum elf_verdict judge(const struct program *p, struct elf_report *report)
{
    struct image m;

    make_image(&m, p);
    write_file(&m, sizeof m);
    elf_check(path, report);
    return report->verdict;
}

static const struct program plain = {
    .elf_class = ELFCLASS64, .machine = EM_X86_64, .loader = GLIBC_LOADER};

static void test_recordable(void **state)
{
    struct elf_report report;
    struct program p = plain;
    char sentence[512];
    (void)state;

    assert_int_equal(judge(&p, &report), ELF_RECORDABLE);
    assert_string_equal(report.file, path);
    assert_null(elf_check_sentence(&report, sentence, sizeof sentence));
    p.needed = "libc.so.6";
    p.symbol = "malloc";
    p.symbol_undefined = 1; /* what every program has */
    assert_int_equal(judge(&p, &report), ELF_RECORDABLE);
    elf_check("/bin/sh", &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
}

static void test_static(void **state)
{
    struct elf_report report;
    struct program p = plain;
    char sentence[512];
    (void)state;

    p.loader = NULL;
    assert_int_equal(judge(&p, &report), ELF_STATIC);
    assert_non_null(strstr(elf_check_sentence(&report, sentence, sizeof sentence), "static"));
    assert_true(elf_check_may_preload(ELF_STATIC));
    p.soname = "ld-linux-x86-64.so.2"; /* the loader as a program */
    assert_int_equal(judge(&p, &report), ELF_RECORDABLE);
}

static void test_sanitizers(void **state)
{
    static const char *const libraries[] = {"libasan.so.8", "libtsan.so.2", "libhwasan.so.0",
                                            "libclang_rt.asan-x86_64.so", "liblsan.so.0"};
    struct elf_report report;
    char sentence[512];
    (void)state;

    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        struct program p = plain;
        p.needed = libraries[i];
        assert_int_equal(judge(&p, &report), ELF_SANITIZER);
        assert_non_null(strstr(elf_check_sentence(&report, sentence, sizeof sentence), "anitizer"));
    }
    struct program p = plain;
    p.symbol = "__asan_init";
    assert_int_equal(judge(&p, &report), ELF_SANITIZER);
    p.symbol_undefined = 1;
    assert_int_equal(judge(&p, &report), ELF_RECORDABLE);
    p.symbol_undefined = 0;
    p.symbol = "__lsan_init";
    assert_int_equal(judge(&p, &report), ELF_SANITIZER);
    assert_string_equal(report.detail, "LeakSanitizer");
    assert_false(elf_check_may_preload(ELF_SANITIZER));
}

static void test_other_kinds(void **state)
{
    struct elf_report report;
    struct program p = plain;
    (void)state;

    p.symbol = "malloc";
    assert_int_equal(judge(&p, &report), ELF_OWN_MALLOC);
    p = plain;
    p.machine = EM_AARCH64;
    assert_int_equal(judge(&p, &report), ELF_OTHER_MACHINE);
    p = plain;
    p.loader = "/lib/ld-musl-x86_64.so.1";
    assert_int_equal(judge(&p, &report), ELF_OTHER_LIBC);
    assert_false(elf_check_may_preload(ELF_OTHER_LIBC));

    /* 32 bit: the header alone is enough. */
    Elf32_Ehdr small = {.e_ident = ELFMAG, .e_type = ET_EXEC, .e_machine = EM_386, .e_version = 1};
    small.e_ident[EI_CLASS] = ELFCLASS32;
    small.e_ident[EI_DATA] = ELFDATA2LSB;
    small.e_ident[EI_VERSION] = EV_CURRENT;
    write_file(&small, sizeof small);
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_OTHER_MACHINE);
}

static void test_secure(void **state)
{
    struct elf_report report;
    char sentence[512];
    (void)state;

    if (getuid() != 0)
        skip();
    judge(&plain, &report);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(chmod(path, 04755), 0);
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_SECURE);
    assert_non_null(strstr(elf_check_sentence(&report, sentence, sizeof sentence), "setuid"));
    assert_int_equal(chmod(path, 02755), 0);
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_SECURE);
    assert_int_equal(chmod(path, 02745), 0); /* no x for the group: not setgid, but for locking */
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chmod(path, 04755), 0); /* setuid to oneself changes nothing */
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
}

static void test_scripts(void **state)
{
    struct elf_report report;
    char script[256];
    struct program p = plain;
    (void)state;

    p.loader = NULL;
    judge(&p, &report);
    snprintf(script, sizeof script, "%s/script", folder);
    FILE *file = fopen(script, "w");
    fprintf(file, "#! %s -x\necho\n", path);
    fclose(file);
    elf_check(script, &report);
    assert_int_equal(report.verdict, ELF_STATIC);
    assert_string_equal(report.file, path);

    /* One that names itself ends, too. */
    file = fopen(script, "w");
    fprintf(file, "#!%s\n", script);
    fclose(file);
    elf_check(script, &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
    unlink(script);
}

static void test_no_programs(void **state)
{
    struct elf_report report;
    (void)state;

    elf_check("/nonexistent/program", &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
    elf_check(folder, &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
    write_file("text\n", 5);
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
    write_file("", 0);
    elf_check(path, &report);
    assert_int_equal(report.verdict, ELF_RECORDABLE);
}

/* Cut anywhere and with bytes gone wrong: an answer, never a crash. */
static void test_damaged(void **state)
{
    struct elf_report report;
    struct program p = plain;
    struct image m;
    (void)state;

    p.needed = "libasan.so.8";
    p.symbol = "__asan_init";
    for (size_t bytes = 0; bytes < sizeof m; bytes += 7) {
        make_image(&m, &p);
        write_file(&m, bytes);
        elf_check(path, &report);
    }
    srand(1);
    for (int round = 0; round < 500; round++) {
        make_image(&m, &p);
        for (int i = 0; i < 8; i++)
            ((uint8_t *)&m)[16 + (size_t)rand() % (sizeof m - 16)] = (uint8_t)rand();
        write_file(&m, sizeof m);
        elf_check(path, &report);
    }
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordable),  cmocka_unit_test(test_static),
        cmocka_unit_test(test_sanitizers),  cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_secure),      cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_no_programs), cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
