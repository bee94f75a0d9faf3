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
AVR_CFLAGS := $(AVR_ARCH) -std=gnu11 -Os -g -flto -ffunction-sections -fdata-sections -fshort-enums -mcall-prologues \
    -fno-inline-small-functions -fno-move-loop-invariants -fno-tree-loop-optimize -fno-jump-tables -fno-gcse -Wall -Wextra -Wconversion -Werror -I $(FW)/src
AVR_LDFLAGS := -Wl,--gc-sections -Wl,--relax
# What the Hello calls its build: the first four bytes of the digest over the sources.
FW_BUILD = 0x$(shell cat $(FW_SOURCES) $(FW_HEADERS) firmware/main.c | sha256sum | cut -c 1-8)UL
FW_VARIANTS := baud115200 baud115200-unchecked baud500000 lead-off bluetooth late
FW_ELFS := $(FW_OUT)/emgtwitch.elf $(FW_OUT)/arduino/emgtwitch.elf $(FW_VARIANTS:%=$(FW_OUT)/variants/%.elf)

FW_FLASH_MOST := 9216
FW_RAM_MOST := 1024

FW_HEXES := emgtwitch arduino/emgtwitch variants/lead-off variants/bluetooth

firmware: $(FW_ELFS) $(FW_HEXES:%=$(FW_OUT)/%.hex) $(FW_OUT)/.cppcheck
	$(PY) firmware/stack.py $(FW_OUT)/emgtwitch.elf
	avr-size -A $(FW_OUT)/emgtwitch.elf | awk '/^\.(text|data) / { flash += $$2 } /^\.(data|bss|noinit) / { ram += $$2 } \
	    END { printf "flash: %d of $(FW_FLASH_MOST) bytes; static RAM: %d of $(FW_RAM_MOST)\n", flash, ram; \
	    exit flash > $(FW_FLASH_MOST) || ram > $(FW_RAM_MOST) }'

$(FW_OUT)/.cppcheck: $(FW_SOURCES) $(FW_HEADERS) firmware/main.c
	mkdir -p $(@D)
	command -v cppcheck >/dev/null || .ci/apt cppcheck
	cppcheck --quiet --std=c11 --language=c --platform=avr8 --enable=warning,style,performance,portability \
	    --error-exitcode=1 -D__AVR__ -DF_CPU=16000000UL -I $(FW)/src $(FW)/src firmware/main.c
	touch $@

$(FW_OUT)/.avr:
	mkdir -p $(@D)
	command -v avr-gcc >/dev/null && test -e /usr/lib/avr/include/avr/io.h || .ci/apt gcc-avr avr-libc binutils-avr
	touch $@

$(FW_OUT)/variants/baud115200.elf: FW_OPTIONS := -DBAUD=115200UL
$(FW_OUT)/variants/baud115200-unchecked.elf: FW_OPTIONS := -DBAUD=115200UL -DLINE_UNCHECKED
$(FW_OUT)/variants/baud500000.elf: FW_OPTIONS := -DBAUD=500000UL
$(FW_OUT)/variants/lead-off.elf: FW_OPTIONS := -DLEAD_OFF=1
$(FW_OUT)/variants/bluetooth.elf: FW_OPTIONS := -DLEAD_OFF=1 -DBAUD=115200UL
$(FW_OUT)/variants/late.elf: FW_OPTIONS := -DBAUD=500000UL -DLATE_US=100 firmware/test/late.c
$(FW_OUT)/variants/late.elf: firmware/test/late.c

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

# The plain C on the host, under sanitizers.
HOST_CC ?= gcc
HOST_CFLAGS := -std=c11 -O1 -g -Wall -Wextra -Werror -Wconversion -fsanitize=address,undefined -fno-sanitize-recover=all \
    -I $(FW)/src -I $(FW_OUT)
FW_TESTS := $(FW_OUT)/test_frame $(FW_OUT)/test_commands $(FW_OUT)/test_commands_unchecked
FW_PLAIN := $(FW)/src/commands.c $(FW)/src/frame.c
FUZZ_CFLAGS := -std=c11 -O1 -g -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

firmware-test: $(FW_TESTS) $(FW_OUT)/fuzz_requests
	set -e; for test in $(FW_TESTS); do $$test; done
	$(PY) firmware/test/fuzz_seeds.py firmware/protocol/vectors.json $(FW_OUT)/seeds
	mkdir -p $(FW_OUT)/corpus
	$(FW_OUT)/fuzz_requests -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=$(FW_OUT)/ $(FW_OUT)/corpus firmware/test/corpus $(FW_OUT)/seeds

$(FW_OUT)/vectors.inc: firmware/protocol/vectors.json firmware/test/vectors_to_c.py
	mkdir -p $(@D)
	$(PY) firmware/test/vectors_to_c.py $< $@

$(FW_OUT)/test_frame: firmware/test/test_frame.c $(FW_OUT)/vectors.inc $(FW_PLAIN) $(FW_HEADERS)
	command -v $(HOST_CC) >/dev/null || .ci/apt gcc libc6-dev
	$(HOST_CC) $(HOST_CFLAGS) -o $@ $< $(FW)/src/frame.c

$(FW_OUT)/test_commands_unchecked: FW_OPTIONS := -DLINE_UNCHECKED
$(FW_OUT)/test_commands $(FW_OUT)/test_commands_unchecked: firmware/test/test_commands.c $(FW_PLAIN) $(FW_HEADERS)
	mkdir -p $(@D)
	command -v $(HOST_CC) >/dev/null || .ci/apt gcc libc6-dev
	$(HOST_CC) $(HOST_CFLAGS) $(FW_OPTIONS) -o $@ $< $(FW_PLAIN)

$(FW_OUT)/fuzz_requests: firmware/test/fuzz_requests.c $(FW_PLAIN) $(FW_HEADERS)
	mkdir -p $(@D)
	command -v clang >/dev/null && ls /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-* >/dev/null 2>&1 || \
	    .ci/apt clang libclang-rt-14-dev
	clang $(FUZZ_CFLAGS) -I $(FW)/src -o $@ $< $(FW_PLAIN)
