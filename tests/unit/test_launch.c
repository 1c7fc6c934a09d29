/* test_launch.c - the environment and the start of a program. */
#include "launch.h"
#include "preload_name.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static size_t count(char *const *environment)
{
    size_t n = 0;

    while (environment[n] != NULL)
        n++;
    return n;
}

static const char *value(char *const *environment, const char *name)
{
    size_t bytes = strlen(name);

    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, bytes) == 0 && (*environment)[bytes] == '=')
            return *environment + bytes + 1;
    return NULL;
}

static const struct launch_setting settings[] = {
    {"MPROF_OUTPUT", "/t/x"}, {"MPROF_TREE", "0f"}, {NULL, NULL}};

static void test_environment(void **state)
{
    char *old[] = {"A=1", "MPROF_OUTPUT=old", "MPROF_OUTPUTS=kept", "LD_PRELOADX=kept", "B=", NULL};
    (void)state;

    char **made = launch_environment(old, "/l/libmprof.so", settings);
    assert_int_equal(count(made), 7);
    assert_string_equal(made[0], "A=1");
    assert_string_equal(value(made, "B"), "");
    assert_string_equal(value(made, "MPROF_OUTPUT"), "/t/x");
    assert_string_equal(value(made, "MPROF_OUTPUTS"), "kept");
    assert_string_equal(value(made, "MPROF_TREE"), "0f");
    assert_string_equal(value(made, "LD_PRELOAD"), "/l/libmprof.so");
    assert_string_equal(value(made, "LD_PRELOADX"), "kept");
    launch_free_environment(made);
}

static void check_preload(const char *old, const char *expected)
{
    char entry[128];
    char *environment[] = {entry, NULL};

    snprintf(entry, sizeof entry, "LD_PRELOAD=%s", old);
    char **made = launch_environment(environment, "/l/libmprof.so", settings);
    assert_string_equal(value(made, "LD_PRELOAD"), expected);
    assert_int_equal(count(made), 3);
    launch_free_environment(made);
}

static void test_preload_of_others(void **state)
{
    (void)state;
    check_preload("", "/l/libmprof.so");
    check_preload("/a.so", "/l/libmprof.so:/a.so");
    check_preload("/a.so:/b.so", "/l/libmprof.so:/a.so:/b.so");
    check_preload("/a.so /b.so", "/l/libmprof.so:/a.so:/b.so");
    check_preload("::/a.so: ", "/l/libmprof.so:/a.so");
    check_preload("/l/libmprof.so", "/l/libmprof.so");
    check_preload("/a.so:/l/libmprof.so:/l/libmprof.so.2", "/l/libmprof.so:/a.so:/l/libmprof.so.2");
}

static void test_without_library(void **state)
{
    static const struct launch_setting none[] = {{NULL, NULL}};
    char *old[] = {"LD_PRELOAD=/a.so", "C=3", NULL};
    (void)state;

    char **made = launch_environment(old, NULL, none);
    assert_int_equal(count(made), 2);
    assert_string_equal(made[0], "LD_PRELOAD=/a.so");
    assert_string_equal(made[1], "C=3");
    launch_free_environment(made);
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0755);

    assert_true(fd >= 0);
    close(fd);
}

static void check_link(const char *library, const char *folder)
{
    char target[256] = "";
    char *name = preload_name(library);

    assert_non_null(name);
    assert_true(preload_name_is_plain(name));
    assert_int_equal(strncmp(name, folder, strlen(folder)), 0);
    assert_string_equal(strrchr(name, '/'), "/libmprof.so");
    assert_true(readlink(name, target, sizeof target - 1) > 0);
    assert_string_equal(target, library);
    if (strcmp(folder, "/tmp/mprof-c-") == 0) {
        unlink(name);
        *strrchr(name, '/') = '\0';
        rmdir(name);
    }
    free(name);
}

/* A link, the same one for the same library, in a folder that is nobody else's. */
static void test_names_that_ld_so_cannot_read(void **state)
{
    static const char *const names[] = {"a b", "a:b", "$LIB", "$ORIGIN", "${PLATFORM}", "a\nb :$"};
    char folder[] = "/tmp/mprof-launch-XXXXXX", path[256], command[256];
    (void)state;

    assert_non_null(mkdtemp(folder));
    setenv("TMPDIR", folder, 1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        mkdir(path, 0755);
        strcat(path, "/libmprof.so");
        make_file(path);
        char *first = preload_name(path), *second = preload_name(path);
        assert_string_equal(first, second);
        check_link(path, folder);
        free(first);
        free(second);
    }
    char *plain = preload_name("/a;b/\xc3\xa4/libmprof.so");
    assert_string_equal(plain, "/a;b/\xc3\xa4/libmprof.so");
    free(plain);
    /* A folder that others can write to, or that is a link, is not ours. */
    snprintf(command, sizeof command, "chmod 777 %s/mprof-c-%ld", folder, (long)geteuid());
    assert_int_equal(system(command), 0);
    check_link(path, "/tmp/mprof-c-");
    snprintf(command, sizeof command, "mv %s/mprof-c-* %s/moved; ln -s moved %s/mprof-c-%ld",
             folder, folder, folder, (long)geteuid());
    assert_int_equal(system(command), 0);
    check_link(path, "/tmp/mprof-c-");
    unsetenv("TMPDIR");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void test_find_library(void **state)
{
    char folder[] = "/tmp/mprof-launch-XXXXXX", path[256], library[256];
    (void)state;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/bin", folder);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/lib", folder);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/bin/mprof-c", folder);
    assert_null(launch_find_library(path));

    snprintf(library, sizeof library, "%s/lib/libmprof.so", folder);
    make_file(library);
    char *found = launch_find_library(path);
    assert_string_equal(found, library);
    free(found);

    char beside[256];
    snprintf(beside, sizeof beside, "%s/bin/libmprof.so", folder);
    make_file(beside);
    found = launch_find_library(path);
    assert_string_equal(found, beside);
    free(found);

    unlink(beside);
    unlink(library);
    snprintf(path, sizeof path, "%s/bin", folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/lib", folder);
    rmdir(path);
    rmdir(folder);
}

static void test_find_program(void **state)
{
    (void)state;
    setenv("PATH", "/nonexistent::/bin:/usr/bin", 1);
    char *found = launch_find_program("sh");
    assert_string_equal(found, "/bin/sh");
    free(found);
    assert_null(launch_find_program("no-such-program-here"));
    assert_null(launch_find_program(""));
    assert_null(launch_find_program("./no-such-program-here"));
    unsetenv("PATH");
    found = launch_find_program("sh");
    assert_string_equal(found, "/bin/sh");
    free(found);
    setenv("PATH", "/bin:/usr/bin", 1);
}

/* Starts and waits; signals are as launch_take_signals left them in the child's parent. */
static int start_and_wait(char *const *argv, int *error)
{
    char *program = launch_find_program(argv[0]);
    struct launch_signals before;
    sigset_t watched;
    pid_t pid = -1;
    int status = -1;

    launch_take_signals(&before, &watched);
    *error = launch_start(program, argv, environ, &before, &pid);
    free(program);
    if (*error == 0)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    sigprocmask(SIG_SETMASK, &before.mask, NULL);
    return status;
}

static void test_start(void **state)
{
    char *exit_7[] = {"sh", "-c", "exit 7", NULL};
    char *missing[] = {"./no-such-program-here", NULL};
    char *folder[] = {"/tmp", NULL};
    int error, status;
    (void)state;

    status = start_and_wait(exit_7, &error);
    assert_int_equal(error, 0);
    assert_int_equal(WEXITSTATUS(status), 7);
    start_and_wait(missing, &error);
    assert_int_equal(error, ENOENT);
    start_and_wait(folder, &error);
    assert_int_equal(error, EACCES);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left of a failed start */
    assert_int_equal(errno, ECHILD);
}

/* Text without #! is for the shell, as in execvp; a binary that the kernel refuses is not. */
static void test_start_text(void **state)
{
    char path[] = "/tmp/mprof-text-XXXXXX";
    char *argv[] = {path, NULL};
    int error, status, fd = mkstemp(path);
    (void)state;

    assert_int_equal(write(fd, "exit 6\n", 7), 7);
    assert_int_equal(fchmod(fd, 0755), 0);
    close(fd);
    status = start_and_wait(argv, &error);
    assert_int_equal(error, 0);
    assert_int_equal(WEXITSTATUS(status), 6);
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "\177ELF exit 6\n", 12), 12);
    close(fd);
    start_and_wait(argv, &error);
    assert_int_equal(error, ENOEXEC);
    unlink(path);
}

/* The child has the dispositions and the mask that mprof-c was started with. */
static void test_signals_of_child(void **state)
{
    /* Exits with 1 for each thing that is wrong: INT must die, QUIT and HUP must be ignored. */
    char *argv[] = {"sh", "-c", "kill -QUIT $$; kill -HUP $$; kill -INT $$; exit 9", NULL};
    int error, status;
    (void)state;

    signal(SIGINT, SIG_DFL);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGCHLD, SIG_IGN); /* would hide the exit status */
    status = start_and_wait(argv, &error);
    assert_int_equal(error, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGINT);
    signal(SIGQUIT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
}

static void test_take_signals(void **state)
{
    struct launch_signals before;
    sigset_t watched;
    (void)state;

    signal(SIGHUP, SIG_IGN);
    launch_take_signals(&before, &watched);
    assert_true(sigismember(&watched, SIGTERM));
    assert_true(sigismember(&watched, SIGCHLD));
    assert_false(sigismember(&watched, SIGHUP)); /* nohup mprof-c run ... */
    sigprocmask(SIG_SETMASK, &before.mask, NULL);
    signal(SIGHUP, SIG_DFL);
}

static void test_die_of(void **state)
{
    static const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGINT, SIGABRT};
    (void)state;

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            signal(signals[i], SIG_IGN);
            launch_die_of(signals[i]);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_false(WCOREDUMP(status));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_preload_of_others),
        cmocka_unit_test(test_without_library),
        cmocka_unit_test(test_names_that_ld_so_cannot_read),
        cmocka_unit_test(test_find_library),
        cmocka_unit_test(test_find_program),
        cmocka_unit_test(test_start),
        cmocka_unit_test(test_start_text),
        cmocka_unit_test(test_signals_of_child),
        cmocka_unit_test(test_take_signals),
        cmocka_unit_test(test_die_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
