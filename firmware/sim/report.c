/* Cycles and load, of the time since the last `measure`; counts of bytes and resets, of all time. */
#include <inttypes.h>
#include <simavr/sim_interrupts.h>
#include <string.h>

#include "board.h"

enum { VECTORS = 26 };
/* simavr charges neither the answer to an interrupt nor, before it reports the end, the RETI: 4 cycles each. */
enum { ENTRY_CYCLES = 4, RETURN_CYCLES = 4 };

static const char *const NAMES[VECTORS] = {
    "RESET", "INT0", "INT1", "PCINT0", "PCINT1", "PCINT2", "WDT", "TIMER2_COMPA", "TIMER2_COMPB", "TIMER2_OVF",
    "TIMER1_CAPT", "TIMER1_COMPA", "TIMER1_COMPB", "TIMER1_OVF", "TIMER0_COMPA", "TIMER0_COMPB", "TIMER0_OVF",
    "SPI_STC", "USART_RX", "USART_UDRE", "USART_TX", "ADC", "EE_READY", "ANALOG_COMP", "TWI", "SPM_READY",
};

typedef struct {
    uint64_t n, cycles, most, began;
} isr_t;

static isr_t isr[VECTORS];
static avr_cycle_count_t since_cycle;
static uint64_t since_asleep, since_triggers, since_missed_flag, since_missed_busy, since_conversions;
static uint16_t lowest_stack;

static void running(struct avr_irq_t *irq, uint32_t value, void *param)
{
    isr_t *one = param;
    (void)irq;
    if (value) {
        uint16_t stack = (uint16_t)(avr->data[0x5D] | avr->data[0x5E] << 8);
        if (stack < lowest_stack)
            lowest_stack = stack;
        one->began = avr->cycle;
        return;
    }
    if (one->began == 0)
        return;
    uint64_t cycles = avr->cycle - one->began + ENTRY_CYCLES + RETURN_CYCLES;
    one->began = 0;
    one->n++;
    one->cycles += cycles;
    if (cycles > one->most)
        one->most = cycles;
}

void report_begin(void)
{
    for (uint8_t n = 1; n < VECTORS; n++) {
        avr_irq_t *irq = avr_get_interrupt_irq(avr, n);
        if (irq)
            avr_irq_register_notify(irq + AVR_INT_IRQ_RUNNING, running, &isr[n]);
    }
    report_measure();
}

void report_measure(void)
{
    memset(isr, 0, sizeof isr);
    since_cycle = avr->cycle;
    since_asleep = asleep_cycles;
    since_triggers = triggers;
    since_missed_flag = triggers_missed_flag;
    since_missed_busy = triggers_missed_busy;
    since_conversions = conversions_made;
    lowest_stack = avr->ramend;
}

void report_write(FILE *out)
{
    double cycles = (double)(avr->cycle - since_cycle), entries = 0;
    for (unsigned n = 0; n < VECTORS; n++)
        entries += (double)isr[n].n;
    double awake = cycles - (double)(asleep_cycles - since_asleep) + ENTRY_CYCLES * entries;
    fprintf(out, "{\"sim_s\": %.6f, \"measured_s\": %.6f, \"load\": %.6f, \"lowest_stack\": %u,\n", sim_s(),
            cycles / F_CPU_HZ, cycles > 0 ? awake / cycles : 0.0, lowest_stack);
    fprintf(out, " \"conversions\": %" PRIu64 ", \"triggers\": %" PRIu64 ", \"missed_flag\": %" PRIu64
            ", \"missed_busy\": %" PRIu64 ",\n", conversions_made - since_conversions, triggers - since_triggers,
            triggers_missed_flag - since_missed_flag, triggers_missed_busy - since_missed_busy);
    fprintf(out, " \"sent_bytes\": %" PRIu64 ", \"dropped_bytes\": %" PRIu64 ", \"unheard_bytes\": %" PRIu64
            ", \"spoilt_bytes\": %" PRIu64 ",\n", sent_bytes, dropped_bytes, unheard_bytes, spoilt_bytes);
    fprintf(out, " \"received_bytes\": %" PRIu64 ", \"rx_overruns\": %" PRIu64 ", \"rx_unheard\": %" PRIu64 ",\n",
            received_bytes, rx_overruns, rx_unheard);
    fprintf(out, " \"resets\": {\"power_on\": %u, \"external\": %u, \"watchdog\": %u},\n \"isr\": {", resets_power_on,
            resets_external, resets_watchdog);
    const char *comma = "";
    for (unsigned n = 0; n < VECTORS; n++) {
        if (isr[n].n == 0)
            continue;
        fprintf(out, "%s\"%s\": {\"n\": %" PRIu64 ", \"mean\": %.2f, \"max\": %" PRIu64 ", \"load\": %.6f}", comma,
                NAMES[n], isr[n].n, (double)isr[n].cycles / (double)isr[n].n, isr[n].most,
                (double)isr[n].cycles / cycles);
        comma = ",\n  ";
    }
    fprintf(out, "}}\n");
    fflush(out);
}
