/* Generated from firmware/protocol/wire.toml by firmware/protocol/generate.py; do not edit. */
#ifndef WIRE_H
#define WIRE_H
#include <stdint.h>

#define WIRE_VERSION 1
#define WIRE_MAX_BOARD_FRAME 254
#define WIRE_DEFAULT_BAUD 250000UL
#define WIRE_HEAD 3 /* type, seq */
#define WIRE_CRC 2

/* What the board is and how to read it; sent at boot, at every start and stop, on request and every few seconds. */
#define WIRE_HELLO 0x01
#define WIRE_HELLO_SIZE 46 /* bytes of the fixed part of the body */
#define WIRE_HELLO_WIRE_VERSION 0 /* u8: version of this protocol */
#define WIRE_HELLO_FIRMWARE_MAJOR 1 /* u8: firmware version */
#define WIRE_HELLO_FIRMWARE_MINOR 2 /* u8: firmware version */
#define WIRE_HELLO_BUILD 3 /* u32: first four bytes of the source revision, 0 if unknown */
#define WIRE_HELLO_DEVICE_ID 7 /* u64: identity written to EEPROM, all ones if never written */
#define WIRE_HELLO_RATE_NUM 15 /* u32: scan rate in Hz is rate_num / rate_den */
#define WIRE_HELLO_RATE_DEN 19 /* u32: see rate_num */
#define WIRE_HELLO_CHANNELS 23 /* u8: channels in a scan, 1 to 8; channel k of n is sampled at (index + k/n) / rate */
#define WIRE_HELLO_BITS 24 /* u8: a count lies in 0 .. 2**bits - 1 */
#define WIRE_HELLO_OVERSAMPLING 25 /* u8: conversions summed into a count */
#define WIRE_HELLO_REFERENCE_MV 26 /* u16: full scale at the converter, measured while stopped, fixed while a stream runs */
#define WIRE_HELLO_REFERENCE_UNCERTAINTY_MV 28 /* u16: standard uncertainty of reference_mV */
#define WIRE_HELLO_GAIN_MILLI 30 /* u32: gain from electrode to converter; 0 if unknown */
#define WIRE_HELLO_RESET_CAUSE 34 /* u8: MCUSR at boot */
#define WIRE_HELLO_BOOT_COUNT 35 /* u16: boots since the EEPROM was written; with run_count it separates epochs */
#define WIRE_HELLO_RUN_COUNT 37 /* u16: streams started since boot; each starts its index at 0 */
#define WIRE_HELLO_FLAGS 39 /* u8: bit 0 streaming, bit 1 test signal, bits 2 to 5 electrode of channel 0 to 3 off */
#define WIRE_HELLO_INDEX 40 /* u32: index of the first scan that no Samples frame has carried yet */
#define WIRE_HELLO_FREE_STACK_BYTES 44 /* u16: memory never touched by the stack */

/* Whole scans, one after the other without a hole. */
#define WIRE_SAMPLES 0x02
#define WIRE_SAMPLES_SIZE 6 /* bytes of the fixed part of the body */
#define WIRE_SAMPLES_INDEX 0 /* u32: index of the first scan; counts scans made, not scans sent */
#define WIRE_SAMPLES_OVERRUNS 4 /* u16: scans of this run that the board made and could not send, modulo 65536 */
#define WIRE_SAMPLES_COUNTS 6 /* u16[]: channel 0 of the first scan, channel 1, ..., channel 0 of the second scan, ... */

/* Something that happened at the board. */
#define WIRE_MARK 0x03
#define WIRE_MARK_SIZE 6 /* bytes of the fixed part of the body */
#define WIRE_MARK_INDEX 0 /* u32: index of the next scan when it happened */
#define WIRE_MARK_KIND 4 /* u8: 1 button, 2 electrode off, 3 electrode on again */
#define WIRE_MARK_CHANNEL 5 /* u8: channel that it concerns, 255 for all */

/* What became of a request. */
#define WIRE_ANSWER 0x04
#define WIRE_ANSWER_SIZE 8 /* bytes of the fixed part of the body */
#define WIRE_ANSWER_REQUEST 0 /* u8: type of the request */
#define WIRE_ANSWER_REQUEST_SEQ 1 /* u16: its sequence number */
#define WIRE_ANSWER_STATUS 3 /* u8: 0 done, 1 unknown request, 2 value out of range, 3 combination too fast for the line, 4 combination too fast for the converter, 5 only while stopped */
#define WIRE_ANSWER_VALUE 4 /* u32: the value now in force, where there is one */

/* What went wrong at the board since power-up or ResetCounters; each stops at its highest value. Sent after a Hello. */
#define WIRE_COUNTERS 0x05
#define WIRE_COUNTERS_SIZE 12 /* bytes of the fixed part of the body */
#define WIRE_COUNTERS_LINE_ERRORS 0 /* u16: bytes from the host that were framed wrongly or came too fast */
#define WIRE_COUNTERS_REJECTED_REQUESTS 2 /* u16: frames from the host that failed COBS, CRC or length */
#define WIRE_COUNTERS_MISSED_TRIGGERS 4 /* u16: conversions that came too late for the converter */
#define WIRE_COUNTERS_LOST_SCANS 6 /* u32: scans made and not sent, over all runs */
#define WIRE_COUNTERS_WATCHDOG_RESETS 10 /* u16: times that the firmware hung and was restarted */

/* What the board's own detector found while no host was there. Sent after a Hello from the first such period on. */
#define WIRE_GUARD 0x06
#define WIRE_GUARD_SIZE 16 /* bytes of the fixed part of the body */
#define WIRE_GUARD_PERIOD 0 /* u16: periods without a host since power-up; this one's number */
#define WIRE_GUARD_GUARDED_S 2 /* u32: how long the board has watched in this period */
#define WIRE_GUARD_TWITCHES 6 /* u16: brief contractions, shorter than 150 ms */
#define WIRE_GUARD_CONTRACTIONS 8 /* u16: contractions from 150 ms up to 2 s */
#define WIRE_GUARD_SPASMS 10 /* u16: contractions of 2 s and longer */
#define WIRE_GUARD_LONGEST_MS 12 /* u32: the longest of them */

/* Ask for a Hello. */
#define WIRE_ASK_HELLO 0x40
#define WIRE_ASK_HELLO_SIZE 0 /* bytes of the fixed part of the body */

/* Measure the reference, then start a run at index 0. */
#define WIRE_START 0x41
#define WIRE_START_SIZE 0 /* bytes of the fixed part of the body */

/* End the run. */
#define WIRE_STOP 0x42
#define WIRE_STOP_SIZE 0 /* bytes of the fixed part of the body */

/* Choose rate, channels and oversampling of the next run; answered with a reason where the combination is impossible. */
#define WIRE_SET_RATE 0x43
#define WIRE_SET_RATE_SIZE 4 /* bytes of the fixed part of the body */
#define WIRE_SET_RATE_RATE_HZ 0 /* u16: 500, 1000, 2000 or 4000 scans a second */
#define WIRE_SET_RATE_CHANNELS 2 /* u8: 1 to 4 */
#define WIRE_SET_RATE_OVERSAMPLING 3 /* u8: 1, 4 or 8 */

/* Replace the converter's result by a known pattern, or stop doing so. */
#define WIRE_TEST_SIGNAL 0x44
#define WIRE_TEST_SIGNAL_SIZE 1 /* bytes of the fixed part of the body */
#define WIRE_TEST_SIGNAL_ON 0 /* u8: 1 on, 0 off */

/* Write identity and gain to EEPROM. */
#define WIRE_WRITE_IDENTITY 0x45
#define WIRE_WRITE_IDENTITY_SIZE 12 /* bytes of the fixed part of the body */
#define WIRE_WRITE_IDENTITY_DEVICE_ID 0 /* u64: identity */
#define WIRE_WRITE_IDENTITY_GAIN_MILLI 8 /* u32: gain from electrode to converter; 0 if unknown */

/* Set the board's error counters to 0. */
#define WIRE_RESET_COUNTERS 0x46
#define WIRE_RESET_COUNTERS_SIZE 0 /* bytes of the fixed part of the body */

#endif
