#include "board.h"

#include <avr/boot.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/wdt.h>
#include <util/atomic.h>

#define BUTTON PD2
#define ELECTRODES (_BV(PD4) | _BV(PD5) | _BV(PD6) | _BV(PD7))
#define VIBRATION PB1 /* D9 */
#define LED PB5       /* D13 */

#define MUX_BANDGAP 0x0E
#define SETTLING_CONVERSIONS 16 /* 1.7 ms: the bandgap is a weak source */
#define SUMMED_CONVERSIONS 64

#define BOOTRST_UNPROGRAMMED 0x01
#define OPTIBOOT_VERSION_AT 0x7FFE
#define OPTIBOOT_FIRST 4 /* major versions */
#define OPTIBOOT_WITH_R2 5
#define OPTIBOOT_LAST 8

#define HUNG_TICKS 64 /* that nobody took before the watchdog's second is over */
#define PAINT 0xC5

extern uint8_t __heap_start;

/* The start leaves these alone. */
static uint8_t reset_r2 __attribute__((section(".noinit"), used));
static uint8_t reset_mcusr __attribute__((section(".noinit"), used));
static volatile uint8_t ticks __attribute__((section(".noinit")));
static uint8_t piled_ticks; /* before the reset */

void save_r2(void) __attribute__((naked, used, section(".init0")));
void paint_stack(void) __attribute__((naked, used, section(".init1")));
void save_mcusr(void) __attribute__((naked, used, section(".init3")));

/* Where optiboot leaves MCUSR, before anything else uses the register. */
void save_r2(void)
{
    __asm__ volatile("sts %0, r2" ::"i"(&reset_r2));
}

void paint_stack(void)
{
    __asm__ volatile("ldi r30, lo8(__heap_start)\n\t"
                     "ldi r31, hi8(__heap_start)\n\t"
                     "ldi r24, %[paint]\n\t"
                     "ldi r25, hi8(__stack + 1)\n"
                     "1:\n\t"
                     "st Z+, r24\n\t"
                     "cpi r30, lo8(__stack + 1)\n\t"
                     "cpc r31, r25\n\t"
                     "brlo 1b" ::[paint] "i"(PAINT));
}

/* After a reset by it the watchdog is on, at 15 ms, until WDRF is cleared. */
void save_mcusr(void)
{
    reset_mcusr = MCUSR;
    MCUSR = 0;
    wdt_disable();
}

/* The major version of optiboot; 0 without a bootloader, 255 under any other. */
static uint8_t bootloader(void)
{
    if (boot_lock_fuse_bits_get(GET_HIGH_FUSE_BITS) & BOOTRST_UNPROGRAMMED)
        return 0;
    uint8_t major = pgm_read_byte(OPTIBOOT_VERSION_AT + 1);
    return major >= OPTIBOOT_FIRST && major <= OPTIBOOT_LAST ? major : UINT8_MAX;
}

void board_begin(void)
{
    uint8_t loader = bootloader();
    if (reset_mcusr == 0 && loader >= OPTIBOOT_WITH_R2 && loader <= OPTIBOOT_LAST)
        reset_mcusr = reset_r2;
    else if (reset_mcusr & _BV(WDRF))
        ticks = UINT8_MAX; /* no bootloader's watchdog: it was the program that hung */
    piled_ticks = ticks;
    ticks = 0;

    DDRB = _BV(LED) | _BV(VIBRATION);
    PORTB = 0;
    DDRD = _BV(PD1); /* the line to the host */
    PORTD = _BV(BUTTON) | _BV(PD0) | _BV(PD1);
    DIDR0 = 0x0F; /* no digital inputs at A0 to A3 */
    ACSR = _BV(ACD);

    TIMSK0 = 0; /* the Arduino core's clock */
    TCCR2A = _BV(WGM21);
    TCCR2B = _BV(CS22) | _BV(CS21); /* clock / 256 */
    OCR2A = (uint8_t)(F_CPU / 256 / TICKS_PER_S - 1);
    TIMSK2 = _BV(OCIE2A);
    SMCR = _BV(SE); /* idle: the timers and the converter go on */
    /* ATmegaBOOT never turns the watchdog off: a reset by it would be the last thing that the board does. */
    if (loader <= OPTIBOOT_LAST)
        wdt_enable(WDTO_1S);
}

uint8_t board_reset_cause(void)
{
    return reset_mcusr;
}

bool board_has_hung(void)
{
    return piled_ticks >= HUNG_TICKS;
}

/* Budget 50 cycles; 250 times a second. */
ISR(TIMER2_COMPA_vect)
{
    uint8_t n = ticks;
    if (n < UINT8_MAX)
        ticks = (uint8_t)(n + 1);
}

bool board_has_tick(void)
{
    return ticks != 0;
}

uint8_t board_take_ticks(void)
{
    uint8_t n = 0;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        n = ticks;
        ticks = 0;
    }
    wdt_reset();
    return n;
}

uint16_t board_free_stack(void)
{
    const uint8_t *at = &__heap_start;
    while (*at == PAINT) /* it ends at this function's own return address: no code is at 0xC5C5 */
        at++;
    return (uint16_t)(at - &__heap_start);
}

static uint16_t convert(void)
{
    ADCSRA |= _BV(ADSC);
    while (ADCSRA & _BV(ADSC)) {
    }
    return ADC;
}

uint16_t board_measure_supply_mV(uint16_t bandgap_mV)
{
    ADMUX = _BV(REFS0) | MUX_BANDGAP;
    ADCSRA = _BV(ADEN) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);
    for (uint8_t n = 0; n < SETTLING_CONVERSIONS; n++)
        convert();
    uint16_t sum = SUMMED_CONVERSIONS / 2; /* a count is rounded down: half of one each */
    for (uint8_t n = 0; n < SUMMED_CONVERSIONS; n++)
        sum = (uint16_t)(sum + convert());
    ADMUX = _BV(REFS0);
    return (uint16_t)(1024UL * SUMMED_CONVERSIONS * bandgap_mV / sum);
}

/* Each bit has a counter of its own, spread over three bytes, which starts anew whenever the input agrees again. */
uint8_t board_look(void)
{
    static uint8_t stable, low = 0xFF, middle = 0xFF, high = 0xFF;
    uint8_t now = (uint8_t)((PIND & ELECTRODES) | (~PIND & _BV(BUTTON)));
    uint8_t differs = now ^ stable;
    /* Count down from 7 while it differs; where it does not, stay at 7. */
    uint8_t ended = differs & (uint8_t)~(low | middle | high);
    high = (uint8_t)((high ^ (uint8_t)~(low | middle)) | (uint8_t)~differs | ended);
    middle = (uint8_t)((middle ^ (uint8_t)~low) | (uint8_t)~differs | ended);
    low = (uint8_t)(~low | (uint8_t)~differs | ended);
    stable ^= ended;
    return stable;
}

void board_light(bool on)
{
    if (on)
        PORTB |= _BV(LED);
    else
        PORTB &= (uint8_t)~_BV(LED);
}

void board_vibrate(bool on)
{
    if (on)
        PORTB |= _BV(VIBRATION);
    else
        PORTB &= (uint8_t)~_BV(VIBRATION);
}
