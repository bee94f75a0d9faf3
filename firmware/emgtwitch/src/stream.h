/* From the converter's scans to Samples frames, and to the guard. Keeps the index, and the count of what was lost. */
#ifndef STREAM_H
#define STREAM_H
#include <stdbool.h>
#include <stdint.h>

#include "commands.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The scan rate in Hz, num / den, that the timer makes of `setup`. */
void stream_rate(const stream_setup_t *setup, uint32_t *num, uint32_t *den);

/* Begin a run at index 0. The supply has been measured, so the converter is on. */
void stream_start(const stream_setup_t *setup, bool test_signal);

/* End it and send what waits. */
void stream_stop(void);

/* Watch channel 0 at GUARD_RATE_HZ; nothing is sent. */
void stream_watch(void);
void stream_unwatch(void);

/* The next conversion for the guard; false if none waits. */
bool stream_take(uint16_t *count);

/* Send a frame if there are scans and room for one. True if scans were lost. */
bool stream_poll(void);

/* True if stream_poll() or stream_take() has something to do. */
bool stream_has_work(void);

/* Of the first scan that no frame has carried yet, and of the next one that is made. */
uint32_t stream_index(void);
uint32_t stream_next_index(void);

#ifdef __cplusplus
}
#endif
#endif
