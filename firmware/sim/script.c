/* What happens when: lines `at SECONDS COMMAND ...` from a file, or lines with or without `at` from standard input. */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "board.h"

enum { LINE = 4096 };

typedef struct {
    double at_s;
    char *command;
} happening_t;

bool quit;

static happening_t *due; /* by time; what is at the same time in the order of the lines */
static size_t due_n, due_next;

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long value = strtoul(text ? text : "", &end, 0);
    if (!text || *end || value > most)
        die("A script needs a number up to %u where it says '%s'.", most, text ? text : "");
    return (unsigned)value;
}

static double real(const char *text)
{
    char *end;
    double value = strtod(text ? text : "", &end);
    if (!text || *end || !(value >= 0))
        die("A script needs a number where it says '%s'.", text ? text : "");
    return value;
}

static void send_hex(const char *hex)
{
    unsigned byte;
    for (; hex && *hex; hex += 2) {
        if (sscanf(hex, "%2x", &byte) != 1 || !hex[1])
            die("host: '%s' is not in hexadecimal.", hex);
        usart_receive((uint8_t)byte);
    }
}

static void power(bool on)
{
    if (on) {
        chip_power_on();
        port_plug();
    } else {
        port_unplug();
    }
}

static void perform(char *command)
{
    char *rest = command;
    const char *verb = strtok_r(rest, " ", &rest), *first = strtok_r(rest, " ", &rest);
    const char *second = strtok_r(rest, " ", &rest);
    if (!verb)
        return;
    if (!strcmp(verb, "button"))
        chip_button(number(first, 1));
    else if (!strcmp(verb, "electrode"))
        chip_electrode(number(first, CHANNELS - 1), second && !strcmp(second, "off"));
    else if (!strcmp(verb, "avcc"))
        avcc_mV = real(first);
    else if (!strcmp(verb, "bandgap"))
        bandgap_mV = real(first);
    else if (!strcmp(verb, "noise"))
        noise_uV = real(first);
    else if (!strcmp(verb, "host"))
        send_hex(first);
    else if (!strcmp(verb, "garbage"))
        port_garbage(number(first, 1u << 20));
    else if (!strcmp(verb, "spoil"))
        port_spoil(number(first, 1u << 20));
    else if (!strcmp(verb, "reset"))
        chip_external_reset();
    else if (!strcmp(verb, "power"))
        chip_power_on();
    else if (!strcmp(verb, "unplug"))
        power(false);
    else if (!strcmp(verb, "plug"))
        power(true);
    else if (!strcmp(verb, "hang"))
        chip_hang();
    else if (!strcmp(verb, "poke"))
        chip_poke((uint16_t)number(first, 0xFFFF), (uint8_t)number(second, 0xFF));
    else if (!strcmp(verb, "measure"))
        report_measure();
    else if (!strcmp(verb, "report"))
        report_write(stderr);
    else if (!strcmp(verb, "quit"))
        quit = true;
    else
        die("'%s' is no command: button 0|1, electrode K on|off, avcc MV, bandgap MV, noise UV, host HEX, garbage N, "
            "spoil N, reset, power, unplug, plug, hang, poke ADDRESS BYTE, measure, report or quit.", verb);
}

void script_line(const char *text, double now_s)
{
    happening_t one = {.at_s = now_s};
    char *end;
    if (!strncmp(text, "at ", 3)) {
        one.at_s = strtod(text + 3, &end);
        if (end == text + 3 || *end != ' ')
            die("'%s' should say at SECONDS COMMAND.", text);
        text = end + 1;
    }
    if (text[strspn(text, " ")] == '\0' || text[0] == '#')
        return;
    one.command = strdup(text);
    due = realloc(due, (due_n + 1) * sizeof *due);
    if (!due || !one.command)
        die("There is no memory for the script.");
    size_t k = due_n++;
    for (; k > due_next && due[k - 1].at_s > one.at_s; k--)
        due[k] = due[k - 1];
    due[k] = one;
}

void script_load(const char *path)
{
    char *line = NULL;
    size_t room = 0;
    FILE *file = fopen(path, "r");
    if (!file)
        die("The script %s cannot be read.", path);
    while (getline(&line, &room, file) >= 0) {
        line[strcspn(line, "\n")] = '\0';
        script_line(line, 0.0);
    }
    free(line);
    fclose(file);
}

void script_stdin(void)
{
    static char line[LINE];
    static size_t used;
    struct pollfd one = {.fd = STDIN_FILENO, .events = POLLIN};
    while (poll(&one, 1, 0) > 0) {
        char byte;
        if (read(STDIN_FILENO, &byte, 1) != 1) {
            quit = true; /* whoever started the board is gone */
            return;
        }
        if (byte == '\n' || used == LINE - 1) {
            line[used] = '\0';
            used = 0;
            script_line(line, sim_s());
            script_run();
        } else {
            line[used++] = byte;
        }
    }
}

double script_next_s(void)
{
    return due_next < due_n ? due[due_next].at_s : 1e300;
}

void script_run(void)
{
    while (script_next_s() <= sim_s()) {
        char *command = due[due_next++].command;
        perform(command);
        free(command);
    }
}
