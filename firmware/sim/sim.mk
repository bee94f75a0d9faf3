# The virtual board: a development tool, never part of the wheel (libsimavr is GPL).
# make board   starts one on the simulated wearer and prints the port to use

SIM_SOURCES := $(addprefix firmware/sim/,board.c chip.c adc.c usart.c port.c script.c report.c)
SIM_CFLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wconversion -Wno-sign-conversion

build/firmware/board: $(SIM_SOURCES) firmware/sim/board.h
	mkdir -p $(@D)
	test -e /usr/include/simavr/sim_avr.h || .ci/apt gcc libc6-dev libsimavr-dev libelf-dev
	gcc $(SIM_CFLAGS) -o $@ $(SIM_SOURCES) -lsimavr -lelf -lm -lutil

# Debian's own optiboot_atmega328.hex is 20 bytes too long for its 512-byte section (a newer compiler made it) and its
# version word lies over its code: such a chip starts the program at once and cannot be flashed. Its source without
# the blinking fits.
OPTIBOOT := /usr/share/arduino/hardware/arduino/avr/bootloaders/optiboot

build/firmware/optiboot.hex: firmware/sim/sim.mk
	mkdir -p $(@D)
	test -e $(OPTIBOOT)/optiboot.c || .ci/apt arduino-core-avr gcc-avr avr-libc binutils-avr
	avr-gcc -w -Os -fno-inline-small-functions -fno-split-wide-types -mshort-calls -mmcu=atmega328p \
	    -DF_CPU=16000000L -DBAUD_RATE=115200 -I$(OPTIBOOT) -nostartfiles -nostdlib -Wl,--relax \
	    -Wl,--section-start=.text=0x7e00 -Wl,--section-start=.version=0x7ffe -o $(@:.hex=.elf) $(OPTIBOOT)/optiboot.c
	avr-objcopy -j .text -j .data -j .version --set-section-flags .version=alloc,load -O ihex $(@:.hex=.elf) $@

.PHONY: board
board: .venv/.stamp
	.venv/bin/python -m firmware.sim.board

# make board-hour   an hour of the board's time, sample by sample
.PHONY: board-hour
board-hour: .venv/.stamp
	EMGTWITCH_SOAK_S=3600 .venv/bin/python -m pytest tests/firmware/test_exactness.py -k ten_minutes
