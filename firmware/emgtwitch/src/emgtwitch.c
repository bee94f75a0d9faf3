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

#define HELLO_TICKS (5 * TICKS_PER_S)
#define ABSENT_TICKS (30U * TICKS_PER_S) /* without a request, until the board watches by itself */
#define ABSENT_AT_BOOT_TICKS (10 * TICKS_PER_S)
#define TROUBLE_TICKS (5 * TICKS_PER_S) /* that an error shows */
#define TWITCH_TICKS (TICKS_PER_S / 5)  /* of light and vibration */

#define FLAG_STREAMING 0x01
#define FLAG_TEST_SIGNAL 0x02
#define FLAG_ELECTRODES 2 /* bits to the left */

enum { MARK_BUTTON = 1, MARK_ELECTRODE_OFF, MARK_ELECTRODE_ON, ALL_CHANNELS = 255 };

static enum { IDLE, STREAMING, GUARDING } state;

static request_t request;
static bool test_signal, lead_off;
static greeting_t greeting = {.setup = {.rate_Hz = 1000, .channels = 1, .oversampling = 1}};

static guard_t guard;
static guard_output_t guard_output;

static uint8_t inputs_told;
static bool hello_due;
static uint16_t tick, hello_ticks, silent_ticks, trouble_ticks;
static uint16_t absent_ticks = ABSENT_AT_BOOT_TICKS;
static uint8_t twitch_ticks;

static void measure_supply(void)
{
    calibration_t calibration = memory_calibration();
    lead_off = calibration.lead_off;
    uint16_t supply_mV = board_measure_supply_mV(calibration.bandgap_mV);
    greeting.reference_mV = supply_mV;
    /* The bandgap lies evenly within a tenth of 1.1 V: 1 / 17 rms. Once measured, what is left is drift and rounding. */
    greeting.reference_uncertainty_mV = calibration.measured ? supply_mV / 128 : supply_mV / 17;
}

static void hello(void)
{
    uint8_t flags = (uint8_t)((inputs_told >> 4) << FLAG_ELECTRODES);
    if (state == STREAMING)
        flags |= FLAG_STREAMING;
    if (test_signal)
        flags |= FLAG_TEST_SIGNAL;
    greeting.flags = flags;
    greeting.period_cycles = stream_period_cycles(&greeting.setup);
    greeting.index = stream_index();
    message_hello(&greeting);
    hello_due = false;
    hello_ticks = 0;
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
    stream_start(&greeting.setup, test_signal);
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
    hello_due = true;
}

static void write_identity(const command_t *command)
{
    memcpy(greeting.identity.device_id, &command->device_id, sizeof command->device_id);
    greeting.identity.gain_milli = command->gain_milli;
    memory_write_identity(&greeting.identity);
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
    silent_ticks = 0;
    absent_ticks = ABSENT_TICKS;
    if (state == GUARDING)
        stop();
    command_t command = command_decide(&request, status, state == STREAMING, greeting.setup, test_signal, BAUD);
    greeting.setup = command.setup;
    test_signal = command.test_signal;
    switch (command.action) {
    case COMMAND_HELLO: hello(); return;
    case COMMAND_START: start(); break;
    case COMMAND_STOP: stop(); break;
    case COMMAND_WRITE_IDENTITY: write_identity(&command); break;
    case COMMAND_RESET_COUNTERS: reset_counters(); break;
    default: break;
    }
    if (command.action == COMMAND_START || command.action == COMMAND_STOP)
        hello();
    message_answer(request_type(&request), request_seq(&request), command.status, command.value);
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

static void tell_inputs(void)
{
    uint8_t seen = INPUT_BUTTON;
    if (lead_off)
        seen |= (uint8_t)(((1 << greeting.setup.channels) - 1) * INPUT_ELECTRODE_OFF_0);
    uint8_t now = board_look() & seen, changed = now ^ inputs_told;
    inputs_told = now;
    if (changed & now & INPUT_BUTTON)
        message_mark(stream_next_index(), MARK_BUTTON, ALL_CHANNELS);
    for (uint8_t k = 0; k < 4; k++) {
        uint8_t bit = (uint8_t)(INPUT_ELECTRODE_OFF_0 << k);
        if (changed & bit)
            message_mark(stream_next_index(), now & bit ? MARK_ELECTRODE_OFF : MARK_ELECTRODE_ON, k);
    }
}

static void show(void)
{
    bool found = state == GUARDING && (guard_output == GUARD_SPASM || twitch_ticks > 0);
    light_t light = state == STREAMING ? LIGHT_STREAMING : LIGHT_WAITING;
    if (found)
        light = LIGHT_ON;
    else if (trouble_ticks > 0 || inputs_told >= INPUT_ELECTRODE_OFF_0)
        light = LIGHT_TROUBLE;
    board_show(light, tick);
    board_vibrate(found);
}

static void pass_tick(void)
{
    tick++;
    if (trouble_ticks > 0)
        trouble_ticks--;
    if (twitch_ticks > 0)
        twitch_ticks--;
    if (++hello_ticks >= HELLO_TICKS)
        hello_due = true;
    if (silent_ticks < absent_ticks && ++silent_ticks == absent_ticks)
        watch();
    if (tick % TICKS_PER_S == 0)
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
    cli();
    board_begin();
    uart_begin();
    if (!(board_reset_cause() & _BV(PORF)))
        memory_recall();
    if (board_has_hung())
        add(&kept.counters.watchdog_resets, 1);
    memory_keep();
    sei();
    greeting.boot_count = memory_count_boot();
    greeting.identity = memory_identity();
    measure_supply();
    hello();
}

void emgtwitch_poll(void)
{
    if (uart_has_byte())
        listen();
    if (board_has_tick())
        pass_time(board_take_ticks());
    if (hello_due)
        hello();
    if (state == STREAMING && stream_poll())
        trouble_ticks = TROUBLE_TICKS;
    if (state == GUARDING)
        guard_poll();
    do
        sleep_cpu(); /* what comes just before it waits for the next interrupt, 4 ms at most */
    while (!uart_has_byte() && !board_has_tick() && !stream_has_work());
}
