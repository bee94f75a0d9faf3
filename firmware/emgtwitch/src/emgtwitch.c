#include "emgtwitch.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <string.h>

#include "board.h"
#include "commands.h"
#include "guard.h"
#include "memory.h"
#include "messages.h"
#include "sampler.h"
#include "stream.h"
#include "uart.h"

#define FIRMWARE_MAJOR 0
#define FIRMWARE_MINOR 1
#ifndef BUILD
#define BUILD 0
#endif

#define HELLO_TICKS (5 * TICKS_PER_S)
#define ABSENT_TICKS (30U * TICKS_PER_S) /* without a request, until the board watches by itself */
#define ABSENT_AT_BOOT_TICKS (10 * TICKS_PER_S)
#define TROUBLE_TICKS (5 * TICKS_PER_S) /* that an error shows */
#define TWITCH_TICKS (TICKS_PER_S / 5)  /* of light and vibration */

#define NOMINAL_BANDGAP_mV 1100

/* A reset may have cut a frame off: without this its rest and the first Hello would be one, and both lost. */
static const uint8_t END_OF_FRAME = 0;

#define FLAG_STREAMING 0x01
#define FLAG_TEST_SIGNAL 0x02
#define FLAG_ELECTRODES 2 /* bits to the left */

enum { MARK_BUTTON = 1, MARK_ELECTRODE_OFF, MARK_ELECTRODE_ON, ALL_CHANNELS = 255 };

static enum { IDLE, STREAMING, GUARDING } state;

static request_t request;
static bool test_signal, lead_off;
static stream_setup_t setup = {.rate_Hz = 1000, .channels = 1, .oversampling = 1};
static hello_t greeting;

static guard_t guard;
static guard_output_t guard_output;

static uint8_t inputs_told;
static uint16_t tick, hello_ticks, trouble_ticks;
static uint16_t absence_ticks = ABSENT_AT_BOOT_TICKS; /* until the host counts as absent */
static uint8_t twitch_ticks;

static void measure_supply(void)
{
    calibration_t calibration;
    memory_calibration(&calibration);
    lead_off = calibration.lead_off == 1;
    /* Unmeasured, the bandgap lies evenly within a tenth of 1.1 V: 1 / 17 rms. Else drift and rounding are left. */
    uint8_t parts = 128;
    if (calibration.bandgap_mV == 0) {
        calibration.bandgap_mV = NOMINAL_BANDGAP_mV;
        parts = 17;
    }
    greeting.reference_mV = board_measure_supply_mV(calibration.bandgap_mV);
    greeting.reference_uncertainty_mV = greeting.reference_mV / parts;
}

static void hello(void)
{
    hello_ticks = 0;
    greeting.channels = setup.channels;
    greeting.oversampling = setup.oversampling;
    greeting.bits = setup.oversampling == 1 ? 10 : setup.oversampling == 4 ? 12 : 13;
    stream_rate(&setup, &greeting.rate_num, &greeting.rate_den);
    uint8_t flags = (uint8_t)(inputs_told / INPUT_ELECTRODE_OFF_0 << FLAG_ELECTRODES);
    if (state == STREAMING)
        flags |= FLAG_STREAMING;
    if (test_signal)
        flags |= FLAG_TEST_SIGNAL;
    greeting.flags = flags;
    greeting.index = stream_index();
    greeting.free_stack_bytes = board_free_stack();
    message(WIRE_HELLO, &greeting, sizeof greeting);
    message(WIRE_COUNTERS, &kept.counters, sizeof kept.counters);
    if (kept.watch.period > 0)
        message(WIRE_GUARD, &kept.watch, sizeof kept.watch);
}

static void stop(void)
{
    if (state == STREAMING)
        stream_stop();
    else if (state == GUARDING)
        stream_unwatch();
    state = IDLE;
    guard_output = GUARD_QUIET;
    twitch_ticks = 0;
}

static void start(void)
{
    stop();
    measure_supply();
    greeting.run_count++;
    stream_start(&setup, test_signal);
    state = STREAMING;
}

static void watch(void)
{
    stop();
    if (kept.watch.period < UINT16_MAX)
        kept.watch.period++;
    guard_begin(&guard);
    stream_watch();
    state = GUARDING;
    hello();
}

static void take_identity(const identity_t *identity)
{
    memcpy(greeting.device_id, identity->device_id, sizeof greeting.device_id);
    greeting.gain_milli = identity->gain_milli;
}

/* The body of the request is such a record. */
static void write_identity(const void *body)
{
    take_identity(body);
    memory_write_identity(body);
}

static void reset_counters(void)
{
    memset(&kept.counters, 0, sizeof kept.counters);
    memory_keep();
}

static void add(uint16_t *counter, uint8_t more)
{
    if (more == 0)
        return;
    *counter = *counter > UINT16_MAX - more ? UINT16_MAX : (uint16_t)(*counter + more);
    trouble_ticks = TROUBLE_TICKS;
}

static void obey(request_status_t status)
{
    absence_ticks = ABSENT_TICKS;
    if (state == GUARDING)
        stop();
    command_t command = command_decide(&request, status, state == STREAMING, setup, test_signal, BAUD);
    setup = command.setup;
    test_signal = command.test_signal;
    if (command.action == COMMAND_START)
        start();
    if (command.action == COMMAND_STOP)
        stop();
    if (command.action == COMMAND_WRITE_IDENTITY)
        write_identity(request_body(&request));
    if (command.action == COMMAND_RESET_COUNTERS)
        reset_counters();
    if (command.action == COMMAND_START || command.action == COMMAND_STOP || command.action == COMMAND_HELLO)
        hello();
    if (command.action == COMMAND_HELLO)
        return;
    answer_t answer = {request_type(&request), request_seq(&request), command.status, command.value};
    message(WIRE_ANSWER, &answer, sizeof answer);
}

/* At most one request a turn, so that a host that asks much does not keep the scans waiting. */
static void listen(void)
{
    request_status_t status = REQUEST_NONE;
    while (status == REQUEST_NONE && uart_has_byte())
        status = request_push(&request, uart_read());
    if (status == REQUEST_REJECTED)
        add(&kept.counters.rejected_requests, 1);
    else if (status != REQUEST_NONE)
        obey(status);
}

static void mark(uint8_t kind, uint8_t channel)
{
    mark_t mark = {stream_next_index(), kind, channel};
    message(WIRE_MARK, &mark, sizeof mark);
}

static void tell_inputs(void)
{
    uint8_t seen = INPUT_BUTTON;
    if (lead_off)
        seen |= (uint8_t)(((1 << setup.channels) - 1) * INPUT_ELECTRODE_OFF_0);
    uint8_t now = board_look() & seen, changed = now ^ inputs_told;
    inputs_told = now;
    if (changed & now & INPUT_BUTTON)
        mark(MARK_BUTTON, ALL_CHANNELS);
    changed /= INPUT_ELECTRODE_OFF_0;
    now /= INPUT_ELECTRODE_OFF_0;
    for (uint8_t k = 0; changed > 0; k++) {
        if (changed & 1)
            mark(now & 1 ? MARK_ELECTRODE_OFF : MARK_ELECTRODE_ON, k);
        changed >>= 1;
        now >>= 1;
    }
}

/* Light: on for so many ticks of so many, a power of two. */
static void show(void)
{
    bool found = state == GUARDING && (guard_output == GUARD_SPASM || twitch_ticks > 0);
    uint16_t on = 12, of = 512; /* a blink every 2 s: waiting, or watching */
    if (found)
        on = of = 1;
    else if (trouble_ticks > 0 || inputs_told >= INPUT_ELECTRODE_OFF_0)
        on = 16, of = 32;
    else if (state == STREAMING)
        on = 128, of = 256;
    board_light((tick & (of - 1)) < on);
    board_vibrate(found);
}

static void pass_tick(void)
{
    tick++;
    if (trouble_ticks > 0)
        trouble_ticks--;
    if (twitch_ticks > 0)
        twitch_ticks--;
    if (absence_ticks > 0 && --absence_ticks == 0)
        watch();
    if (++hello_ticks >= HELLO_TICKS)
        hello();
    if ((uint8_t)tick == 0)
        memory_keep();
    tell_inputs();
}

static void pass_time(uint8_t ticks)
{
    add(&kept.counters.line_errors, uart_take_errors());
    add(&kept.counters.missed_triggers, sampler_take_missed());
    while (ticks-- > 0)
        pass_tick();
    show();
}

static void guard_poll(void)
{
    uint16_t count;
    while (stream_take(&count)) {
        guard_output = guard_push(&guard, count);
        if (guard_output == GUARD_TWITCH_FOUND)
            twitch_ticks = TWITCH_TICKS;
    }
    kept.watch.guarded_s = guard.guarded_s;
    kept.watch.twitches = guard.twitches;
    kept.watch.contractions = guard.contractions;
    kept.watch.spasms = guard.spasms;
    kept.watch.longest_ms = guard.longest_ms;
}

void emgtwitch_begin(void)
{
    identity_t identity;
    cli();
    board_begin();
    uart_begin();
    uint8_t cause = board_reset_cause();
    if (!(cause & _BV(PORF)) && memory_recall() && board_has_hung())
        add(&kept.counters.watchdog_resets, 1);
    memory_keep();
    sei();
    memory_identity(&identity);
    take_identity(&identity);
    greeting.wire_version = WIRE_VERSION;
    greeting.firmware_major = FIRMWARE_MAJOR;
    greeting.firmware_minor = FIRMWARE_MINOR;
    greeting.build = BUILD;
    greeting.reset_cause = cause;
    greeting.boot_count = memory_count_boot();
    measure_supply();
    uart_write(&END_OF_FRAME, 1);
    hello();
}

void emgtwitch_poll(void)
{
    if (uart_has_byte())
        listen();
    if (board_has_tick())
        pass_time(board_take_ticks());
    if (state == STREAMING && stream_poll())
        trouble_ticks = TROUBLE_TICKS;
    if (state == GUARDING)
        guard_poll();
    do
        sleep_cpu(); /* what comes just before it waits for the next interrupt, 4 ms at most */
    while (!uart_has_byte() && !board_has_tick() && !stream_has_work());
}
