/* Twice the scan rate to the scan rate: a half-band low-pass of 15 taps, plain C for the board and the host's tests.
 * At 500 Hz: 0 dB to 150 Hz, -0.4 dB at 200 Hz, -6 dB at 250 Hz, -26 dB at 300 Hz, below -37 dB from 310 Hz on.
 * It is symmetric: a result belongs to the middle of its taps, 7 input scans (7 ms) behind the first of them. */
#ifndef HALFBAND_H
#define HALFBAND_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HALFBAND_TAPS 15

/* One result from the counts input(offset + n * step), n = 0 .. HALFBAND_TAPS - 1, rounded and held within 0 .. most.
 * Counts are below 2^14. */
uint16_t halfband(uint16_t (*input)(uint8_t), uint8_t offset, uint8_t step, uint16_t most);

#ifdef __cplusplus
}
#endif
#endif
