/* Holds all interrupts back for LATE_US whenever the button's pin changes: linked to the firmware, it makes converter
 * triggers come too late, which nothing in the firmware does. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <util/delay.h>

static void __attribute__((constructor)) arm(void)
{
    PCICR = _BV(PCIE2);
    PCMSK2 = _BV(PCINT18);
}

ISR(PCINT2_vect)
{
    _delay_us(LATE_US);
}
