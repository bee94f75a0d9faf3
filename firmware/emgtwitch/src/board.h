/* The board around the samples: supply, pins, light, the time between looks, resets, stack and watchdog. */
#ifndef BOARD_H
#define BOARD_H
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TICK_MS 4 /* between looks at the pins */
#define TICKS_PER_S (1000 / TICK_MS)

/* Pins, timers, watchdog; interrupts are still off. */
void board_begin(void);

/* MCUSR as it was at the reset, or as a bootloader that cleared it handed it on; 0 if it did not. */
uint8_t board_reset_cause(void);

/* True if the program hung before this reset; after power-up, by chance. Under optiboot every reset ends with its own
 * watchdog: there a hang shows by the ticks that nobody took, and one with interrupts off does not show. */
bool board_has_hung(void);

/* Bytes that neither variables nor, so far, the stack have used. */
uint16_t board_free_stack(void);

/* Supply against the bandgap, which is `bandgap_mV`; 9 ms. The converter must be stopped, and is on afterwards. */
uint16_t board_measure_supply_mV(uint16_t bandgap_mV);

/* Ticks since the last call; tells the watchdog that the main loop lives. */
uint8_t board_take_ticks(void);
bool board_has_tick(void);

/* Inputs, debounced: what holds for 8 looks. */
#define INPUT_BUTTON 0x04         /* D2 to ground */
#define INPUT_ELECTRODE_OFF_0 0x10 /* D4 to D7, high: electrode of channel 0 to 3 off */

/* Look once; returns the inputs that are on. */
uint8_t board_look(void);

void board_light(bool on);
void board_vibrate(bool on);

#ifdef __cplusplus
}
#endif
#endif
