#include "sampler.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/atomic.h>

#define REFERENCE_AVCC _BV(REFS0)
#define CHANNEL_STEP 129
#define CONVERSION_STEP 7
#define RESULT_MASK 0x3FF
#define ONE_BIT 0 /* of GPIOR0: one channel, no sums, no test signal */
/* A conversion ends 1728 cycles after its trigger. An interrupt that finds the timer below this came after the next
 * trigger, which found its flag still set and started nothing; unless the timer stands at the first cycles, between the
 * clearing of the flag and this look: that trigger found it cleared. An interrupt that is later than by a whole period
 * is not told from one in time: nothing here holds interrupts back for so long, see docs/firmware.md. */
#define EARLIEST_CYCLES 1600
#define LOOK_CYCLES 2

static uint16_t ring[SAMPLER_RING];
volatile uint8_t sampler_head, sampler_tail;
static volatile uint16_t hole;
static volatile bool has_hole;
static volatile uint8_t missed;

/* Of the interrupt alone while conversions run. */
static uint8_t write, channel, channels, most_used, rounds_left, oversampling;
static bool spoilt, test_signal;
static uint16_t pattern, sum[4];

/* Let the next trigger start a conversion. True if it has come already, for nothing. */
__attribute__((always_inline)) static inline bool rearm(void)
{
    TIFR1 = _BV(OCF1B); /* the trigger is the rise of this flag */
    return (uint16_t)(TCNT1 - LOOK_CYCLES) < EARLIEST_CYCLES - LOOK_CYCLES;
}

__attribute__((always_inline)) static inline void lose_scan(void)
{
    has_hole = true;
    hole++;
}

void __vector_one(void) __attribute__((signal, used, externally_visible));
void __vector_many(void) __attribute__((signal, used, externally_visible));

/* One channel without sums is a third shorter by its own code; a flag that needs no register chooses. */
ISR(ADC_vect, ISR_NAKED)
{
    __asm__ volatile("sbic %[flags], %[one]\n\trjmp __vector_one\n\trjmp __vector_many" ::[flags] "I"(
                         _SFR_IO_ADDR(GPIOR0)),
                     [one] "I"(ONE_BIT));
}

/* Each conversion is a scan. Budget 100 cycles of the 4000 between conversions; measured: docs/firmware.md. */
void __vector_one(void)
{
    uint8_t at = sampler_head;
    if (has_hole || (uint8_t)(at - sampler_tail) >= SAMPLER_RING) {
        lose_scan();
    } else {
        ring[at % SAMPLER_RING] = ADC;
        sampler_head = (uint8_t)(at + 1);
    }
    if (rearm()) {
        missed++;
        lose_scan();
    }
}

/* Turn to the next channel; returns the one before. */
__attribute__((always_inline)) static inline uint8_t turn(void)
{
    uint8_t k = channel, next = (uint8_t)(k + 1);
    if (next == channels)
        next = 0;
    channel = next;
    ADMUX = REFERENCE_AVCC | next;
    return k;
}

/* The place of channel `k` in a scan. The scan is lost with any of its places. */
__attribute__((always_inline)) static inline void place(uint8_t k, uint16_t count)
{
    bool last = channel == 0;
    if (test_signal) {
        count = (uint16_t)(pattern + k * (uint16_t)CHANNEL_STEP) & RESULT_MASK;
        pattern = (uint16_t)(pattern + CONVERSION_STEP);
    }
    count = (uint16_t)(count + sum[k]);
    uint8_t left = rounds_left;
    if (last)
        rounds_left = (uint8_t)(left == 0 ? oversampling - 1 : left - 1);
    if (left > 0) {
        sum[k] = count;
        return;
    }
    sum[k] = 0;
    uint8_t at = write;
    if (k == 0 && !spoilt && (has_hole || (uint8_t)(at - sampler_tail) > most_used)) {
        spoilt = true;
        lose_scan();
    }
    if (!spoilt)
        ring[at++ % SAMPLER_RING] = count;
    if (last) {
        if (spoilt)
            at = sampler_head;
        spoilt = false;
        sampler_head = at;
    }
    write = at;
}

/* Budget 250 cycles of the 2000 between conversions; measured: docs/firmware.md. */
void __vector_many(void)
{
    uint8_t k = turn(); /* before the trigger can come that converts it */
    bool late = rearm();
    uint16_t count = ADC;
    for (;;) {
        place(k, count);
        if (!late)
            return;
        late = false; /* the place after it stays empty */
        missed++;
        if (!spoilt) {
            spoilt = true;
            lose_scan();
        }
        k = turn();
    }
}

void sampler_start(uint16_t period_cycles, uint8_t new_channels, uint8_t new_oversampling, bool new_test_signal)
{
    sampler_stop();
    sampler_head = sampler_tail = write = 0;
    hole = 0;
    has_hole = spoilt = false;
    missed = 0;
    channel = 0;
    channels = new_channels;
    most_used = (uint8_t)(SAMPLER_RING - new_channels);
    oversampling = new_oversampling;
    rounds_left = (uint8_t)(new_oversampling - 1);
    test_signal = new_test_signal;
    pattern = 0;
    GPIOR0 = new_channels == 1 && new_oversampling == 1 && !new_test_signal ? _BV(ONE_BIT) : 0;
    for (uint8_t k = 0; k < 4; k++)
        sum[k] = 0;

    ADMUX = REFERENCE_AVCC;
    TCNT1 = 0;
    OCR1A = OCR1B = (uint16_t)(period_cycles - 1);
    TIFR1 = _BV(OCF1B);
    ADCSRB = _BV(ADTS2) | _BV(ADTS0); /* Timer1 compare match B */
    ADCSRA = _BV(ADEN) | _BV(ADATE) | _BV(ADIE) | _BV(ADIF) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0);
    TCCR1B = _BV(WGM12) | _BV(CS10); /* from 0 to OCR1A, at the processor's clock */
}

void sampler_stop(void)
{
    TCCR1A = 0;
    TCCR1B = 0;
    ADCSRA &= (uint8_t)~(_BV(ADATE) | _BV(ADIE));
}

uint16_t sampler_peek(uint8_t offset)
{
    return ring[(uint8_t)(sampler_tail + offset) % SAMPLER_RING];
}

const uint16_t *sampler_oldest(uint8_t *counts)
{
    uint8_t at = sampler_tail % SAMPLER_RING, to_end = (uint8_t)(SAMPLER_RING - at);
    if (*counts > to_end)
        *counts = to_end;
    return ring + at;
}

void sampler_drop(uint8_t counts)
{
    sampler_tail = (uint8_t)(sampler_tail + counts);
}

bool sampler_has_hole(void)
{
    return has_hole;
}

uint16_t sampler_take_hole(void)
{
    uint16_t scans = 0;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        scans = hole;
        hole = 0;
        has_hole = false;
    }
    return scans;
}

uint8_t sampler_take_missed(void)
{
    uint8_t triggers = 0;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE)
    {
        triggers = missed;
        missed = 0;
    }
    return triggers;
}
