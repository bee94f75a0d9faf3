# The firmware, twice: bare metal and through the Arduino core, from one set of sources. Works by itself
# (make -f firmware/firmware.mk firmware) and included by the Makefile.
# make firmware          builds both and the tests' variants, prints sizes, fails over the limits
# make firmware-test     the plain C on the host, under sanitizers; FUZZ_SECONDS=60 of fuzzing
# make firmware-package  puts the hex file where the wheel takes it from
.PHONY: firmware firmware-test firmware-package

PY ?= .venv/bin/python
FUZZ_SECONDS ?= 60

FW := firmware/emgtwitch
FW_OUT := build/firmware
FW_SOURCES := $(wildcard $(FW)/src/*.c)
FW_HEADERS := $(wildcard $(FW)/src/*.h)
AVR_ARCH := -mmcu=atmega328p -DF_CPU=16000000UL
AVR_CFLAGS := $(AVR_ARCH) -std=gnu11 -Os -g -ffunction-sections -fdata-sections -fno-inline-small-functions \
    -mcall-prologues -fshort-enums -Wall -Wextra -Wconversion -Werror -I $(FW)/src
AVR_LDFLAGS := -Wl,--gc-sections -Wl,--relax
# What the Hello calls its build: the first four bytes of the digest over the sources.
FW_BUILD = 0x$(shell cat $(FW_SOURCES) $(FW_HEADERS) firmware/main.c | sha256sum | cut -c 1-8)UL
FW_VARIANTS := baud115200 baud115200-unchecked baud500000 lead-off
FW_ELFS := $(FW_OUT)/emgtwitch.elf $(FW_OUT)/arduino/emgtwitch.elf $(FW_VARIANTS:%=$(FW_OUT)/variants/%.elf)

firmware: $(FW_ELFS) $(FW_OUT)/emgtwitch.hex $(FW_OUT)/arduino/emgtwitch.hex
	avr-size $(FW_OUT)/emgtwitch.elf

$(FW_OUT)/.avr:
	mkdir -p $(@D)
	command -v avr-gcc >/dev/null && test -e /usr/lib/avr/include/avr/io.h || .ci/apt gcc-avr avr-libc binutils-avr
	touch $@

$(FW_OUT)/variants/baud115200.elf: FW_OPTIONS := -DBAUD=115200UL
$(FW_OUT)/variants/baud115200-unchecked.elf: FW_OPTIONS := -DBAUD=115200UL -DLINE_UNCHECKED
$(FW_OUT)/variants/baud500000.elf: FW_OPTIONS := -DBAUD=500000UL
$(FW_OUT)/variants/lead-off.elf: FW_OPTIONS := -DLEAD_OFF=1

$(FW_OUT)/emgtwitch.elf $(FW_VARIANTS:%=$(FW_OUT)/variants/%.elf): $(FW_SOURCES) $(FW_HEADERS) firmware/main.c \
    firmware/firmware.mk | $(FW_OUT)/.avr
	mkdir -p $(@D)
	avr-gcc $(AVR_CFLAGS) $(FW_OPTIONS) -DBUILD=$(FW_BUILD) $(AVR_LDFLAGS) -o $@ firmware/main.c $(FW_SOURCES)

%.hex: %.elf
	avr-objcopy -O ihex -j .text -j .data $< $@

firmware-package: $(FW_OUT)/emgtwitch.hex
	mkdir -p src/emgtwitch/firmware
	cp $< src/emgtwitch/firmware/emgtwitch.hex

# What the Arduino IDE does for an Uno: the core into an archive, the sketch as C++ after <Arduino.h>.
ARDUINO := /usr/share/arduino/hardware/arduino/avr
ARDUINO_OUT := $(FW_OUT)/arduino
ARDUINO_FLAGS := $(AVR_ARCH) -DARDUINO=10819 -DARDUINO_AVR_UNO -DARDUINO_ARCH_AVR -DDECIMAL_DIG=17 -Os -flto \
    -ffunction-sections -fdata-sections -I $(ARDUINO)/cores/arduino -I $(ARDUINO)/variants/standard
ARDUINO_CXX := -std=gnu++11 -fno-exceptions -fno-threadsafe-statics -fpermissive

$(ARDUINO_OUT)/core.a: firmware/firmware.mk | $(FW_OUT)/.avr
	rm -rf $(ARDUINO_OUT)
	mkdir -p $(ARDUINO_OUT)
	test -e $(ARDUINO)/cores/arduino/Arduino.h || .ci/apt arduino-core-avr
	set -e; for file in $(ARDUINO)/cores/arduino/*.c; do \
	    avr-gcc -std=gnu11 -w $(ARDUINO_FLAGS) -c $$file -o $(ARDUINO_OUT)/$$(basename $$file).o; done
	set -e; for file in $(ARDUINO)/cores/arduino/*.cpp; do \
	    avr-g++ -w $(ARDUINO_CXX) $(ARDUINO_FLAGS) -c $$file -o $(ARDUINO_OUT)/$$(basename $$file).o; done
	set -e; for file in $(ARDUINO)/cores/arduino/*.S; do \
	    avr-gcc -x assembler-with-cpp $(ARDUINO_FLAGS) -c $$file -o $(ARDUINO_OUT)/$$(basename $$file).o; done
	avr-gcc-ar rcs $@ $(ARDUINO_OUT)/*.o

$(ARDUINO_OUT)/emgtwitch.elf: $(FW)/emgtwitch.ino $(FW_SOURCES) $(FW_HEADERS) $(ARDUINO_OUT)/core.a
	mkdir -p $(ARDUINO_OUT)/sketch
	{ echo '#include <Arduino.h>'; cat $(FW)/emgtwitch.ino; } > $(ARDUINO_OUT)/sketch/emgtwitch.cpp
	avr-g++ -Wall -Wextra -Werror $(ARDUINO_CXX) $(ARDUINO_FLAGS) -I $(FW) \
	    -c $(ARDUINO_OUT)/sketch/emgtwitch.cpp -o $(ARDUINO_OUT)/sketch/emgtwitch.cpp.o
	set -e; for file in $(FW_SOURCES); do avr-gcc -std=gnu11 -Wall -Wextra $(ARDUINO_FLAGS) \
	    -c $$file -o $(ARDUINO_OUT)/sketch/$$(basename $$file).o; done
	avr-gcc -Wall -Os -flto -fuse-linker-plugin -Wl,--gc-sections $(AVR_ARCH) -o $@ \
	    $(ARDUINO_OUT)/sketch/*.o $(ARDUINO_OUT)/core.a -lm
