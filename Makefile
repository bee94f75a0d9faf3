# make demo   the daemon on the simulated wearer, in a data folder of its own; SECONDS=20 stops it after 20 s
# make test   everything that must hold; installs what it needs
# make check  the fast part: lint, types, quick tests
# make bench  all benchmarks, a table of them, JSON in benchmarks/results
# make accuracy  how accurate the detector is and its peers are: a table, docs/accuracy.md and its plots (an hour;
#                the first time half of one more for the peers)
# make peers  only installs those peers, into .venv
# make firmware  the board's program, both ways, with its sizes; make board starts a virtual one and prints its port
# make soak   a week of the daemon's clocks at 20 times their speed (8.4 hours; SPEED=100 100 minutes, with
#             nothing beside it; DOCS=1 writes it down, SPOILED=1e-3 changes bytes on the line): must be flat
# make board-hour  an hour of the virtual board, sample by sample
# make hardware  the sensor: what its circuit does in SPICE, the board's checks and exports, the enclosure, all pictures
# make page-hour  an hour with the live page open: memory of browser and daemon, minute by minute
# make campaign  a thousand kills, a thousand unplugs, every other fault: a table, docs/reliability.md (35 minutes)
# make fuzz   every fuzzer for ten minutes, a table of them (an hour; FUZZ_SECONDS=60 a target; DOCS=1 writes it down)
# make audit  known faults of the locked versions, by pip-audit; needs the network
# make lock   new development versions from pyproject.toml
# make clean  removes all that was made
.NOTPARALLEL:
.PHONY: demo test check bench speed accuracy peers fuzz audit lock clean lint types wire bench-quick bench-tools page-hour hardware campaign soak tests tests-quick axe
.DEFAULT_GOAL := demo

PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet

demo: .venv/.core
	mkdir -p build/demo
	EMGTWITCH_DATA=build/demo $(if $(SECONDS),timeout --foreground --preserve-status -s INT $(SECONDS)) \
	    $(PY) -m emgtwitch.app.cli run --source sim

test: .venv/.stamp lint types wire firmware firmware-test bench-quick tests

check: .venv/.stamp lint types wire tests-quick

lint: .venv/.stamp
	$(PY) -m ruff check
	$(PY) -m ruff format --check

types: .venv/.stamp
	$(PY) -m mypy

wire: .venv/.stamp
	$(PY) firmware/protocol/generate.py --check
	$(PY) -m firmware.protocol.vectors --check

tests: .venv/.stamp .venv/.peers axe build/firmware/board build/firmware/optiboot.hex
	command -v avrdude >/dev/null || .ci/apt avrdude
	command -v chromium >/dev/null || .ci/apt chromium fonts-dejavu-core
	command -v ngspice >/dev/null || .ci/apt ngspice
	command -v openscad >/dev/null || .ci/apt openscad
	command -v gcc >/dev/null || .ci/apt gcc libc6-dev
	test -x /usr/sbin/mosquitto || command -v mosquitto >/dev/null || .ci/apt mosquitto
	$(PY) -m tests.real.fetch
	$(PY) -m benchmarks.accuracy.real --fetch
	$(PY) -m pytest

# What finds faults that shut people out, for the tests of the page.
axe: build/axe/node_modules/axe-core/axe.min.js

build/axe/node_modules/axe-core/axe.min.js:
	command -v npm >/dev/null || .ci/apt npm
	npm install --silent --no-audit --no-fund --prefix build/axe axe-core@4.14.1

tests-quick: .venv/.stamp
	$(PY) -m pytest -m "not slow"

bench: .venv/.stamp .venv/.peers bench-tools
	$(PY) -m benchmarks

bench-quick: .venv/.stamp .venv/.peers bench-tools
	$(PY) -m benchmarks --quick

speed: .venv/.stamp
	$(PY) -m benchmarks.document

# An hour with the page open: what browser and daemon hold, minute by minute.
page-hour: .venv/.stamp bench-tools
	$(PY) -m benchmarks.page --only-memory --minutes 60

# Every fault, each through the interface that it has in life, and the table of what was seen.
campaign: .venv/.stamp bench-tools
	$(PY) -m tests.campaign --docs

# Days on end with hastened clocks: what the daemon holds must not grow.
soak: .venv/.stamp bench-tools
	$(PY) -m tests.campaign.soak --days $(or $(DAYS),7) --speed $(or $(SPEED),20) $(if $(SPOILED),--spoiled $(SPOILED)) $(if $(DOCS),--docs)

# A compiler for the C twin, a counter of instructions, a browser.
bench-tools:
	command -v chromium >/dev/null || .ci/apt chromium fonts-dejavu-core
	command -v gcc >/dev/null && test -e /usr/include/valgrind/callgrind.h || .ci/apt gcc libc6-dev valgrind

accuracy: .venv/.stamp .venv/.peers
	$(PY) -m tests.real.fetch
	$(PY) -m benchmarks.accuracy.real --fetch
	$(PY) -m benchmarks.accuracy --long --detector all
	$(PY) -m benchmarks.accuracy --docs

# What the benchmarks compare with.
peers: .venv/.peers

.venv/.peers: .venv/.stamp benchmarks/accuracy/peers.txt
	$(PIP) -c requirements-dev.lock -r benchmarks/accuracy/peers.txt
	touch $@

# The sensor: figures of the front ends in SPICE, checks and exports of the board, meshes of the enclosure, all pictures.
hardware: .venv/.stamp
	command -v ngspice >/dev/null || .ci/apt ngspice
	command -v openscad >/dev/null || .ci/apt openscad
	command -v xvfb-run >/dev/null && command -v xauth >/dev/null || .ci/apt xvfb xauth
	command -v kicad-cli >/dev/null || .ci/kicad
	$(PY) -m hardware.verify
	$(PY) -m hardware.kicad
	$(PY) -m hardware.enclosure

include firmware/firmware.mk firmware/sim/sim.mk

# What breaks the law lies in build/fuzz/TARGET afterwards, and belongs into tests/fuzz/crashes.
fuzz: FUZZ_SECONDS := 600
fuzz: .venv/.stamp build/firmware/fuzz_requests
	$(PY) firmware/test/fuzz_seeds.py firmware/protocol/vectors.json build/firmware/seeds
	$(PY) -m tests.fuzz --seconds $(FUZZ_SECONDS) $(if $(DOCS),--docs)

# A version that could not be looked up counts as a fault: an index without advisories must not look like a clean bill.
audit: .venv/.stamp
	$(PIP) pip-audit
	$(PY) -m pip_audit --strict --no-deps --disable-pip -r requirements-dev.lock

# The environment with what emgtwitch itself needs, in the locked versions.
.venv/.core: pyproject.toml requirements-dev.lock .ci/venv
	.ci/venv
	@echo "Installing emgtwitch and what it needs into .venv (only the first time)"
	$(PIP) -c requirements-dev.lock setuptools
	$(PIP) -c requirements-dev.lock --no-build-isolation -e .
	touch $@

# The environment with everything for development.
.venv/.stamp: pyproject.toml requirements-dev.lock .ci/venv
	.ci/venv
	@echo "Installing the development versions into .venv (only the first time)"
	$(PIP) -r requirements-dev.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch .venv/.core $@

lock: .venv/.stamp
	$(PIP) uv
	mkdir -p build
	{ head -n 1 requirements-dev.lock; $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --extra dev --upgrade \
	    --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml; } > build/lock
	mv build/lock requirements-dev.lock

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks benchmarks/results src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
