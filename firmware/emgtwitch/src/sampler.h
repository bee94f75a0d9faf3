/* The converter: Timer1 starts each conversion in hardware, the interrupt sums and stores, the main loop takes scans. */
#ifndef SAMPLER_H
#define SAMPLER_H
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SAMPLER_RING 128 /* counts, of all channels together */

/* Start conversions every `period_cycles`: of the channels 0 .. channels - 1 in turn, `oversampling` rounds summed into
 * a scan. With `test_signal` conversion c of channel k gives (7 c + 129 k) modulo 1024 in place of its result.
 * A first conversion must have been made since the converter was switched on: that one takes twice the time. */
void sampler_start(uint16_t period_cycles, uint8_t channels, uint8_t oversampling, bool test_signal);

/* Stop; the scans that wait can still be taken. */
void sampler_stop(void);

/* Both wrap at 256; `head` is behind the last whole scan. Only for sampler_waiting(), which is asked at every wake. */
extern volatile uint8_t sampler_head, sampler_tail;

/* Counts of whole scans that wait, 0 to SAMPLER_RING. */
__attribute__((always_inline)) static inline uint8_t sampler_waiting(void)
{
    return (uint8_t)(sampler_head - sampler_tail);
}

/* The count `offset` places behind the oldest, less than sampler_waiting(). */
uint16_t sampler_peek(uint8_t offset);

/* The oldest counts as they lie in memory, of which `counts` are wanted; `counts` becomes how many follow one another. */
const uint16_t *sampler_oldest(uint8_t *counts);

/* Forget the oldest `counts`. */
void sampler_drop(uint8_t counts);

/* True if scans were lost behind those that wait; nothing more is stored until sampler_take_hole(). */
bool sampler_has_hole(void);

/* How many scans were lost behind the last one that waited; call it when none waits. */
uint16_t sampler_take_hole(void);

/* Triggers that found their flag still set since the last call. Each spoils one scan, which is lost. */
uint8_t sampler_take_missed(void);

#ifdef __cplusplus
}
#endif
#endif
