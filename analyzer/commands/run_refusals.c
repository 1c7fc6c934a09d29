/* run_refusals.c - see run_refusals.h. */
#include "run_refusals.h"
#include "command.h"
#include "settings.h"
#include <stdlib.h>
#include <string.h>

#define SETTING_VARIABLE(NAME, variable, default_text, help) variable,
static const char *const setting_variables[] = {MPROF_SETTINGS(SETTING_VARIABLE)};

static const struct {
    enum setting setting;
    const char *what;
} numbers[] = {
    {SETTING_LIMIT, "a number of MiB"},
    {SETTING_SELFCHECK, "a number"},
};

/* Digits, and a fraction, as the recorder reads them. */
static int is_number(const char *text)
{
    size_t whole = strspn(text, "0123456789");

    if (whole > 0 && text[whole] == '.')
        whole += 1 + strspn(text + whole + 1, "0123456789");
    return whole > 0 && text[whole] == '\0';
}

int run_settings_are_right(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const char *variable = setting_variables[numbers[i].setting], *value = getenv(variable);
        if (value == NULL || value[0] == '\0' || is_number(value))
            continue;
        complain("run: the variable %s: '%s' is not %s; see man 7 libmprof", variable, value,
                 numbers[i].what);
        return 0;
    }
    return 1;
}
