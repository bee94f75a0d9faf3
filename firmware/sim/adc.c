/* The converter as the data sheet has it: started by software, running freely, or by Timer1 compare B. */
#include <math.h>
#include <simavr/avr_timer.h>
#include <simavr/sim_cycle_timers.h>
#include <simavr/sim_interrupts.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

enum { ADEN = 0x80, ADSC = 0x40, ADATE = 0x20, ADIF = 0x10, ADIE = 0x08, ADPS = 0x07 };
enum { ADTS = 0x07, ADTS_FREE = 0, ADTS_TIMER1_B = 5 };
enum { ADLAR = 0x20, MUX = 0x0F, MUX_BANDGAP = 0x0E, MUX_GROUND = 0x0F, REFS_INTERNAL = 0xC0 };

enum { LONGEST_INSTRUCTION = 8 }; /* in cycles, with the answer to an interrupt */

#define FULL_SCALE 1024.0
/* The bandgap is a weak source: after the multiplexer turns to it, the hold capacitor follows slowly. A firmware that
 * believes the first conversion measures the channel before. */
#define BANDGAP_SETTLING_S 60e-6

/* One row of the log of conversions. */
typedef struct {
    uint64_t cycle; /* when it was sampled */
    uint16_t count;
    uint8_t mux;
    uint8_t triggered; /* 1 if by the timer */
    uint32_t resets;   /* of any kind before it */
} conversion_t;

double avcc_mV = 5000.0, bandgap_mV = 1100.0, noise_uV = 0.0;
uint64_t conversions_made, triggers, triggers_missed_flag, triggers_missed_busy;

static waveform_t wave;
static float *level_mV;
static size_t levels; /* of one channel */
static FILE *log_file;
static double wave_start_s;
static bool wave_started;

static avr_timer_t *timer1;
static bool flag_clear = true; /* OCF1B: the trigger is its rising edge */
static bool converting, first = true, by_timer;
static uint16_t result;
static double muxed_s;  /* when the multiplexer last turned */
static double held_mV;  /* on the hold capacitor then */
static double sampled_mV;

static double pin_mV(unsigned channel, double now_s)
{
    double at = (now_s - wave_start_s) * wave.rate_Hz;
    if (levels == 0 || (wave.from_start && !wave_started))
        return avcc_mV / 2;
    /* Each value holds until the next: half a millionth of it earlier, so that a waveform at the board's own rate
     * falls on the same value whichever way the division rounds. */
    size_t k = at <= 0 ? 0 : (size_t)(at + 1e-6);
    k = wave.once && k >= levels ? levels - 1 : k % levels;
    return (double)level_mV[k * wave.channels + channel % wave.channels];
}

static double normal(void)
{
    double u = 1.0 - draw();
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * draw());
}

static double input_mV(uint8_t mux, double at_s)
{
    if (mux == MUX_BANDGAP)
        return bandgap_mV + (held_mV - bandgap_mV) * exp(-(at_s - muxed_s) / BANDGAP_SETTLING_S);
    if (mux < 8)
        return pin_mV(mux, at_s) + (noise_uV > 0 ? 1e-3 * noise_uV * normal() : 0.0);
    return 0.0;
}

static avr_cycle_count_t finished(avr_t *chip, avr_cycle_count_t when, void *param);

/* `at`: when it begins, a few cycles ago where simavr had an instruction to finish first. */
static void start(bool triggered, avr_cycle_count_t at)
{
    double at_s = (double)at / F_CPU_HZ;
    uint8_t control = avr->data[REG_ADCSRA], mux = avr->data[REG_ADMUX];
    unsigned shift = control & ADPS ? control & ADPS : 1;
    double half_clocks = first ? 50 : triggered ? 27 : 26;
    if (triggered && wave.from_start && !wave_started) {
        wave_started = true;
        wave_start_s = at_s;
    }
    double reference_mV = (mux & REFS_INTERNAL) == REFS_INTERNAL ? bandgap_mV : avcc_mV;
    sampled_mV = input_mV(mux & MUX, at_s);
    double count = floor(sampled_mV * FULL_SCALE / reference_mV);
    result = (uint16_t)fmin(fmax(count, 0.0), FULL_SCALE - 1);
    avr->data[REG_ADCSRA] |= ADSC;
    converting = true;
    first = false;
    by_timer = triggered;
    conversions_made++;
    if (log_file) {
        conversion_t row = {.cycle = at, .count = result, .mux = mux & MUX, .triggered = triggered,
                            .resets = resets_power_on + resets_external + resets_watchdog};
        if (fwrite(&row, sizeof row, 1, log_file) != 1)
            die("The log of conversions cannot be written.");
    }
    avr_cycle_count_t end = at + (avr_cycle_count_t)(half_clocks * (1u << shift) / 2);
    avr_cycle_timer_register(avr, end - avr->cycle, finished, NULL);
}

static avr_cycle_count_t finished(avr_t *chip, avr_cycle_count_t when, void *param)
{
    (void)param;
    uint16_t shown = chip->data[REG_ADMUX] & ADLAR ? (uint16_t)(result << 6) : result;
    chip->data[REG_ADCL] = (uint8_t)shown;
    chip->data[REG_ADCH] = (uint8_t)(shown >> 8);
    chip->data[REG_ADCSRA] &= (uint8_t)~ADSC;
    converting = false;
    avr_raise_interrupt(chip, vector_of(VECTOR_ADC));
    if ((chip->data[REG_ADCSRA] & (ADEN | ADATE)) == (ADEN | ADATE) && (chip->data[REG_ADCSRB] & ADTS) == ADTS_FREE)
        start(false, when);
    return 0;
}

static void write_control(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)param;
    uint8_t before = chip->data[address];
    uint8_t flag = before & ADIF;
    if (value & ADIF) {
        avr_clear_interrupt(chip, vector_of(VECTOR_ADC));
        flag = 0;
    }
    chip->data[address] = (uint8_t)((value & ~(ADIF | ADSC)) | flag | (converting ? ADSC : 0));
    if (!(value & ADEN)) {
        avr_cycle_timer_cancel(chip, finished, NULL);
        chip->data[address] &= (uint8_t)~ADSC;
        converting = false;
        first = true;
        return;
    }
    if (flag && (value & ADIE) && !(before & ADIE))
        avr_raise_interrupt(chip, vector_of(VECTOR_ADC));
    if ((value & ADSC) && !converting)
        start(false, chip->cycle);
}

static void write_mux(avr_t *chip, avr_io_addr_t address, uint8_t value, void *param)
{
    (void)param;
    if ((value & MUX) != (chip->data[address] & MUX)) {
        held_mV = sampled_mV;
        muxed_s = sim_s();
    }
    chip->data[address] = value;
}

/* When Timer1 last matched its compare register B. simavr tells it when the instruction then running has ended, up to
 * four cycles late; silicon does not wait, and two conversions would seem to be 3999 or 4001 cycles apart. */
static avr_cycle_count_t compared_at(void)
{
    avr_cycle_count_t match = timer1->tov_base + timer1->comp[AVR_TIMER_COMPB].comp_cycles;
    if (match > avr->cycle)
        match = timer1->tov_base; /* B equals TOP: the timer has just begun anew */
    if (avr->cycle - match > LONGEST_INSTRUCTION)
        die("simavr's Timer1 matched at %.7f s and told it at %.7f s.", (double)match / F_CPU_HZ, sim_s());
    return match;
}

/* The compare flag of Timer1 B rises (1) or is cleared (0). A flag that nobody clears starts nothing on silicon. */
static void compare_flag(struct avr_irq_t *irq, uint32_t value, void *param)
{
    (void)irq, (void)param;
    if (!value) {
        flag_clear = true;
        return;
    }
    bool wanted = (avr->data[REG_ADCSRA] & (ADEN | ADATE)) == (ADEN | ADATE) &&
                  (avr->data[REG_ADCSRB] & ADTS) == ADTS_TIMER1_B;
    bool edge = flag_clear;
    flag_clear = false;
    if (!wanted)
        return;
    triggers++;
    if (!edge)
        triggers_missed_flag++;
    else if (converting)
        triggers_missed_busy++;
    else
        start(true, compared_at());
}

void adc_reset(void)
{
    flag_clear = true;
    converting = false;
    first = true;
    wave_started = false;
}

void adc_begin(const waveform_t *waveform, FILE *conversions)
{
    wave = *waveform;
    log_file = conversions;
    if (wave.file) {
        FILE *file = fopen(wave.file, "rb");
        if (!file)
            die("The waveform %s cannot be read.", wave.file);
        fseek(file, 0, SEEK_END);
        long bytes = ftell(file);
        rewind(file);
        levels = (size_t)bytes / sizeof(float) / wave.channels;
        if (levels == 0)
            die("The waveform %s is empty.", wave.file);
        level_mV = malloc(levels * wave.channels * sizeof(float));
        if (!level_mV || fread(level_mV, sizeof(float) * wave.channels, levels, file) != levels)
            die("The waveform %s cannot be read.", wave.file);
        fclose(file);
    }
    for (avr_io_t *part = avr->io_port; part; part = part->next)
        if (!strcmp(part->kind, "timer") && ((avr_timer_t *)part)->name == '1')
            timer1 = (avr_timer_t *)part; /* its io is its first member */
    if (!timer1)
        die("simavr's ATmega328P has no Timer1.");
    own_register(REG_ADCSRA, write_control, NULL);
    own_register(REG_ADCSRB, NULL, NULL);
    own_register(REG_ADMUX, write_mux, NULL);
    own_register(REG_ADCL, NULL, NULL);
    own_register(REG_ADCH, NULL, NULL);
    avr_irq_register_notify(avr_get_interrupt_irq(avr, VECTOR_TIMER1_COMPB) + AVR_INT_IRQ_PENDING, compare_flag, NULL);
}
