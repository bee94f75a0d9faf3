/* Runs the board: options, the passing of time, and what the parts share. */
#define _GNU_SOURCE
#include "board.h"

#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_interrupts.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How often the pty is looked at and true time waited for; nothing in the board's own time depends on it. */
#define SLICE_S 0.002
#define LONGEST_S 1.0 /* without looking for an end by signal */

avr_t *avr;

static uint64_t random_state;
static volatile sig_atomic_t interrupted;

static const char USAGE[] =
    "board [options] [FIRMWARE.elf]: run the firmware on a virtual Arduino\n"
    "  --link NAME        a pty, and NAME as a symbolic link to it; opening it resets the board\n"
    "  --no-dtr           opening it does not\n"
    "  --out FILE         what the board sends, raw\n"
    "  --speed X          times true time; 0 (the default without --link): as fast as it goes\n"
    "  --for SECONDS      of the board's time, then end\n"
    "  --script FILE      lines `at SECONDS COMMAND`; --stdin: also from standard input, `at` may be left out\n"
    "  --wave FILE        float32 in mV at A0 to A3, interleaved; --wave-rate HZ, --wave-channels N\n"
    "  --wave-from-start  it begins with the first triggered conversion after a reset; --wave-once: its end stays\n"
    "  --noise UV         rms, at the converter's input; --seed N\n"
    "  --avcc MV, --bandgap MV\n"
    "  --bootloader HEX   loaded above the firmware, with BOOTRST programmed\n"
    "  --eeprom FILE      image, read at the start and written at the end\n"
    "  --conversions FILE 16 bytes for each: u64 cycle, u16 count, u8 channel, u8 triggered, u32 resets before\n"
    "  --report FILE      JSON: cycles, load, triggers, bytes\n";

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("board: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

double sim_s(void)
{
    return (double)avr->cycle / F_CPU_HZ;
}

avr_int_vector_t *vector_of(uint8_t number)
{
    static avr_int_vector_t *known[64];
    for (unsigned n = 0; !known[number] && n < avr->interrupts.vector_count; n++)
        if (avr->interrupts.vector[n]->vector == number)
            known[number] = avr->interrupts.vector[n];
    if (!known[number])
        die("simavr has no interrupt vector %u.", number);
    return known[number];
}

void own_register(avr_io_addr_t address, avr_io_write_t write, avr_io_read_t read)
{
    /* Not avr_register_io_write: that would share the register with simavr's own part. */
    avr->io[AVR_DATA_TO_IO(address)].w.c = write;
    avr->io[AVR_DATA_TO_IO(address)].w.param = NULL;
    avr->io[AVR_DATA_TO_IO(address)].r.c = read;
    avr->io[AVR_DATA_TO_IO(address)].r.param = NULL;
}

/* splitmix64 */
double draw(void)
{
    uint64_t z = random_state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

void draw_from(uint64_t seed)
{
    random_state = seed;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static avr_cycle_count_t look_up(avr_t *chip, avr_cycle_count_t when, void *param)
{
    (void)chip, (void)when, (void)param;
    return 0;
}

static void run_until(double until_s)
{
    avr_cycle_count_t until = (avr_cycle_count_t)ceil(fmin(until_s, sim_s() + LONGEST_S) * F_CPU_HZ);
    if (until > avr->cycle)
        avr_cycle_timer_register(avr, until - avr->cycle, look_up, NULL); /* so that no sleep goes past it */
    while (avr->cycle < until) {
        int state = avr_run(avr);
        if (state == cpu_Done || state == cpu_Crashed)
            die("The program ended at %.6f s, pc 0x%04x: it slept with interrupts off, or left its code.", sim_s(),
                avr->pc);
    }
}

static void run(double for_s, double speed, bool live, bool with_stdin)
{
    double began_s = now_s();
    while (!quit && !interrupted && sim_s() < for_s) {
        script_run();
        double until_s = fmin(for_s, script_next_s());
        if (live || with_stdin)
            until_s = fmin(until_s, sim_s() + SLICE_S);
        run_until(until_s);
        if (with_stdin)
            script_stdin();
        port_poll();
        double ahead_s = speed > 0 ? sim_s() / speed - (now_s() - began_s) : 0.0;
        if (ahead_s > 0)
            nanosleep(&(struct timespec){.tv_sec = (time_t)ahead_s, .tv_nsec = (long)(1e9 * fmod(ahead_s, 1.0))}, NULL);
    }
}

static double positive(const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (*end || end == text || !(value >= 0))
        die("'%s' is not a number of zero or more.", text);
    return value;
}

enum { LINK = 256, NO_DTR, OUT, SPEED, FOR, SCRIPT, STDIN, WAVE, WAVE_RATE, WAVE_CHANNELS, WAVE_FROM_START, WAVE_ONCE,
       NOISE, SEED, AVCC, BANDGAP, BOOTLOADER, EEPROM, CONVERSIONS, REPORT, HELP };

static const struct option OPTIONS[] = {
    {"link", 1, NULL, LINK}, {"no-dtr", 0, NULL, NO_DTR}, {"out", 1, NULL, OUT}, {"speed", 1, NULL, SPEED},
    {"for", 1, NULL, FOR}, {"script", 1, NULL, SCRIPT}, {"stdin", 0, NULL, STDIN}, {"wave", 1, NULL, WAVE},
    {"wave-rate", 1, NULL, WAVE_RATE}, {"wave-channels", 1, NULL, WAVE_CHANNELS},
    {"wave-from-start", 0, NULL, WAVE_FROM_START}, {"wave-once", 0, NULL, WAVE_ONCE}, {"noise", 1, NULL, NOISE},
    {"seed", 1, NULL, SEED}, {"avcc", 1, NULL, AVCC}, {"bandgap", 1, NULL, BANDGAP},
    {"bootloader", 1, NULL, BOOTLOADER}, {"eeprom", 1, NULL, EEPROM}, {"conversions", 1, NULL, CONVERSIONS},
    {"report", 1, NULL, REPORT}, {"help", 0, NULL, HELP}, {NULL, 0, NULL, 0},
};

static FILE *writable(const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        die("%s cannot be written.", path);
    return file;
}

int main(int argc, char **argv)
{
    chip_files_t files = {0};
    port_options_t port = {.reset_on_open = true};
    waveform_t waveform = {.rate_Hz = 1000.0, .channels = 1};
    FILE *conversions = NULL, *report = NULL;
    double for_s = 1e300, speed = -1;
    bool with_stdin = false;
    uint64_t seed = 1;
    int option;
    while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
        switch (option) {
        case LINK: port.link = optarg; break;
        case NO_DTR: port.reset_on_open = false; break;
        case OUT: port.file = optarg; break;
        case SPEED: speed = positive(optarg); break;
        case FOR: for_s = positive(optarg); break;
        case SCRIPT: script_load(optarg); break;
        case STDIN: with_stdin = true; break;
        case WAVE: waveform.file = optarg; break;
        case WAVE_RATE: waveform.rate_Hz = positive(optarg); break;
        case WAVE_CHANNELS: waveform.channels = (unsigned)fmin(fmax(positive(optarg), 1), 8); break;
        case WAVE_FROM_START: waveform.from_start = true; break;
        case WAVE_ONCE: waveform.once = true; break;
        case NOISE: noise_uV = positive(optarg); break;
        case SEED: seed = (uint64_t)positive(optarg); break;
        case AVCC: avcc_mV = positive(optarg); break;
        case BANDGAP: bandgap_mV = positive(optarg); break;
        case BOOTLOADER: files.bootloader = optarg; break;
        case EEPROM: files.eeprom = optarg; break;
        case CONVERSIONS: conversions = writable(optarg); break;
        case REPORT: report = writable(optarg); break;
        case HELP: fputs(USAGE, stdout); return 0;
        default: fputs(USAGE, stderr); return 2;
        }
    }
    files.elf = optind < argc ? argv[optind] : NULL;
    if (argc - optind > 1 || (!files.elf && !files.bootloader)) {
        fputs(USAGE, stderr);
        return 2;
    }
    speed = speed >= 0 ? speed : port.link ? 1.0 : 0.0;
    port.wait = speed == 0;
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    draw_from(seed);
    chip_begin(&files);
    usart_begin();
    adc_begin(&waveform, conversions);
    report_begin();
    chip_power_on();
    port_begin(&port);
    run(for_s, speed, port.link != NULL, with_stdin);
    port_end();
    chip_save_eeprom();
    if (conversions && fclose(conversions) != 0)
        die("The log of conversions cannot be written.");
    if (report) {
        report_write(report);
        fclose(report);
    }
    avr_terminate(avr);
    return 0;
}
