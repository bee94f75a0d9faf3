/* The USB end of the serial line: a pty, where opening it pulls the reset line, or a file. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#include "board.h"

enum { CHIP_BYTES = 512 };  /* what a USB serial chip holds for a host that does not fetch it */
enum { AHEAD_BYTES = 64 };  /* what is taken from the host before the line has carried it; the rest waits in the pty */
enum { PATIENCE_MS = 100 };

uint64_t dropped_bytes, unheard_bytes, spoilt_bytes;

static port_options_t options;
static FILE *raw;
static int master = -1;
static bool open_by_host;
static int watch = -1; /* inotify: tells of a host that closed and opened again between two looks */
static int holders;    /* files that the host has open on the pty */
static uint8_t chip[CHIP_BYTES];
static unsigned chip_n;
static unsigned to_spoil;

static void make_raw(int terminal)
{
    struct termios settings;
    if (tcgetattr(terminal, &settings) != 0)
        return;
    cfmakeraw(&settings);
    tcsetattr(terminal, TCSANOW, &settings);
}

/* Whether somebody opened the pty, since the last look, where nobody had it open before. */
static bool opened_anew(void)
{
    _Alignas(struct inotify_event) char buffer[4096];
    bool anew = false;
    for (ssize_t n; (n = read(watch, buffer, sizeof buffer)) > 0;) {
        for (char *at = buffer; at < buffer + n; at += sizeof(struct inotify_event)) { /* a file's events have no name */
            const struct inotify_event *event = (const struct inotify_event *)at;
            if (event->mask & IN_OPEN)
                anew = anew || holders == 0, holders++;
            else if (event->mask & IN_CLOSE)
                holders -= holders > 0;
        }
    }
    return anew;
}

void port_plug(void)
{
    int slave;
    char name[64];
    if (master >= 0 || !options.link)
        return;
    if (openpty(&master, &slave, name, NULL, NULL) != 0)
        die("No pty is to be had: %s.", strerror(errno));
    make_raw(slave);
    watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch < 0 || inotify_add_watch(watch, name, IN_OPEN | IN_CLOSE) < 0)
        die("The pty cannot be watched: %s.", strerror(errno));
    close(slave); /* from now on POLLHUP says that no host has it open */
    opened_anew();
    fcntl(master, F_SETFL, O_NONBLOCK);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    open_by_host = false;
    holders = 0;
    chip_n = 0;
    unlink(options.link);
    if (symlink(name, options.link) != 0)
        die("The link %s cannot be made: %s.", options.link, strerror(errno));
    fprintf(stderr, "board: %s\n", options.link);
}

void port_unplug(void)
{
    if (master < 0)
        return;
    unlink(options.link);
    close(master);
    close(watch);
    master = watch = -1;
}

static bool wait_for_reader(void)
{
    struct pollfd one = {.fd = master, .events = POLLOUT};
    poll(&one, 1, PATIENCE_MS);
    return !(one.revents & POLLHUP);
}

static void flush(void)
{
    unsigned done = 0;
    while (done < chip_n) {
        ssize_t n = write(master, chip + done, chip_n - done);
        if (n > 0)
            done += (unsigned)n;
        else if (errno == EAGAIN && options.wait && wait_for_reader())
            script_stdin(); /* so that a board that waits can still be told to quit */
        else
            break;
        if (quit)
            break;
    }
    memmove(chip, chip + done, chip_n - done);
    chip_n -= done;
}

static void to_host(uint8_t byte)
{
    if (raw && putc(byte, raw) == EOF)
        die("The output %s cannot be written.", options.file);
    if (!options.link)
        return;
    if (master < 0 || !open_by_host) {
        unheard_bytes++;
        return;
    }
    if (chip_n == CHIP_BYTES)
        flush();
    if (chip_n == CHIP_BYTES)
        dropped_bytes++;
    else
        chip[chip_n++] = byte;
}

void port_from_board(uint8_t byte)
{
    if (to_spoil > 0) {
        to_spoil--;
        spoilt_bytes++;
        byte ^= (uint8_t)(1 + 255.0 * draw());
    }
    to_host(byte);
}

void port_garbage(unsigned bytes)
{
    for (unsigned n = 0; n < bytes; n++)
        to_host((uint8_t)(256.0 * draw()));
}

void port_spoil(unsigned bytes)
{
    to_spoil += bytes;
}

void port_poll(void)
{
    if (master < 0)
        return;
    bool anew = opened_anew();
    struct pollfd one = {.fd = master, .events = POLLIN};
    poll(&one, 1, 0);
    bool open_now = !(one.revents & POLLHUP);
    if (!open_now)
        holders = 0;
    if (anew) {
        make_raw(master); /* the slave forgets it when it is closed */
        chip_n = 0;
        if (options.reset_on_open)
            chip_external_reset();
    }
    open_by_host = open_now;
    if (!open_now) {
        unheard_bytes += chip_n;
        chip_n = 0;
    } else {
        flush();
    }
    uint8_t bytes[AHEAD_BYTES];
    unsigned waiting = usart_waiting();
    if ((one.revents & POLLIN) && waiting < AHEAD_BYTES) {
        ssize_t n = read(master, bytes, AHEAD_BYTES - waiting);
        for (ssize_t k = 0; k < n; k++)
            usart_receive(bytes[k]);
    }
}

void port_begin(const port_options_t *wanted)
{
    options = *wanted;
    if (options.file && !(raw = fopen(options.file, "wb")))
        die("The output %s cannot be written.", options.file);
    port_plug();
}

void port_end(void)
{
    if (master >= 0)
        flush();
    port_unplug();
    if (raw && fclose(raw) != 0)
        die("The output %s cannot be written.", options.file);
}
