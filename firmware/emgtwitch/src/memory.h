/* What outlives a loss of power, in EEPROM, and what outlives only a reset, in memory that the start leaves alone.
 * Each record has a checksum; one that is damaged counts as never written. docs/firmware.md has the map. */
#ifndef MEMORY_H
#define MEMORY_H
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t device_id[8]; /* little endian; all ones if never written */
    uint32_t gain_milli;  /* 0 if unknown */
} identity_t;

typedef struct {
    uint16_t bandgap_mV; /* 1100 if never measured */
    bool measured;
    bool lead_off; /* electrode pins are connected */
} calibration_t;

/* The bodies of the wire's records Counters and Guard. */
typedef struct {
    uint16_t line_errors, rejected_requests, missed_triggers;
    uint32_t lost_scans;
    uint16_t watchdog_resets;
} counters_t;

typedef struct {
    uint16_t period;
    uint32_t guarded_s;
    uint16_t twitches, contractions, spasms;
    uint32_t longest_ms;
} watch_t;

/* What outlives a reset. */
typedef struct {
    counters_t counters;
    watch_t watch;
} kept_t;

/* The one that counts. After a change call memory_keep(), or it is lost with the next reset. */
extern kept_t kept;

/* Find `kept` as it was before a reset, or all 0. */
void memory_recall(void);
void memory_keep(void);

/* Count this boot; EEPROM is written. Returns its number, from 1. */
uint16_t memory_count_boot(void);

identity_t memory_identity(void);
void memory_write_identity(const identity_t *identity); /* 50 ms; only while stopped */
calibration_t memory_calibration(void);

#ifdef __cplusplus
}
#endif
#endif
