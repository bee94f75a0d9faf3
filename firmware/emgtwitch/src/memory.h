/* What outlives a loss of power, in EEPROM, and what outlives only a reset, in memory that the start leaves alone.
 * Each record has a checksum; one that is damaged counts as never written. docs/firmware.md has the map. */
#ifndef MEMORY_H
#define MEMORY_H
#include <stdbool.h>
#include <stdint.h>

#include "messages.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t device_id[8]; /* all ones if never written */
    uint32_t gain_milli;  /* 0 if unknown */
} identity_t;

typedef struct {
    uint16_t bandgap_mV; /* 0 if never measured */
    uint8_t lead_off;    /* 1: electrode pins are connected */
} calibration_t;

/* What outlives a reset. After a change call memory_keep(), or the change is lost with the next one. */
typedef struct {
    counters_t counters;
    watch_t watch;
} kept_t;
extern kept_t kept;

/* Find `kept` as it was before a reset; false, and all 0, if power was lost meanwhile. */
bool memory_recall(void);
void memory_keep(void);

/* Count this boot; EEPROM is written. Returns its number, from 1. */
uint16_t memory_count_boot(void);

void memory_identity(identity_t *identity);
void memory_write_identity(const identity_t *identity); /* 50 ms; only while stopped */
void memory_calibration(calibration_t *calibration);

#ifdef __cplusplus
}
#endif
#endif
