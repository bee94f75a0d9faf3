"""What `doctor` hears from the board: answer, loss, clock, noise and mains."""

from __future__ import annotations

from collections.abc import Iterable

from emgtwitch.app.case import Case, Finding
from emgtwitch.app.ports import board_text
from emgtwitch.app.signal_check import clock_error, quality
from emgtwitch.errors import EmgtwitchError, NoBoardError
from emgtwitch.sources.discover import ASK_DOCTOR
from emgtwitch.sources.link import LinkLostError
from emgtwitch.sources.self_test import self_test
from emgtwitch.wire.records import WIRE_VERSION

NOISE_WARN_uV = 10.0  # of skin and amplifier, 2 to 5 are usual
MAINS_WARN_uV = 20.0  # the notches take it off, but there is little room left before the rails
TEST_S = 1.0
CLOCK_WARN_PPM = 5000.0  # a ceramic resonator's tolerance


def board(case: Case) -> Iterable[Finding]:
    """A board answers, in this program's wire version, and streams."""
    hello = case.heard.hello
    if hello is not None and not case.trouble:
        yield Finding("board", "ok", f"{board_text(hello)}, wire version {hello.wire_version}")
        return
    remedy = f"Put right what is bad above, plug the board in again; it needs firmware of wire version {WIRE_VERSION}"
    yield Finding("board", "bad", case.trouble, remedy, NoBoardError.exit_code)


def loss(case: Case) -> Iterable[Finding]:
    """No scan gets lost on the way."""
    heard = case.heard
    if not heard.arrivals:
        return
    made = heard.arrivals[-1][0]
    if heard.lost:
        yield Finding(
            *("loss", "warn", f"{heard.lost} of {made} scans were lost"),
            "Use a shorter cable and no hub, and a lower rate or fewer channels (emgtwitch run --help)",
        )
    else:
        yield Finding("loss", "ok", f"{made} scans, none lost")


def clock(case: Case) -> Iterable[Finding]:
    """The board's clock is within what its resonator allows; the daemon fits the rest."""
    seen = clock_error(case.heard.arrivals, case.heard.rate_Hz)
    if seen is None:
        return
    text = f"{seen.ppm:+.0f} ppm, give or take {seen.uncertainty_ppm:.0f}"
    if abs(seen.ppm) - seen.uncertainty_ppm > CLOCK_WARN_PPM:
        yield Finding(
            *("clock", "warn", f"{text}: more than a resonator's {CLOCK_WARN_PPM:.0f}"),
            "Check that the firmware was built for this board's crystal (16 MHz?)",
        )
    else:
        yield Finding("clock", "ok", f"{text} (fitted and corrected while running)")


def signal(case: Case) -> Iterable[Finding]:
    """Noise, mains and rails of each channel: sit still while it listens."""
    heard = case.heard
    if heard.hello is None:
        return
    scale, unit = (heard.uV_per_count, "uV") if heard.uV_per_count else (1.0, "counts")
    for number in range(heard.hello.channels):
        seen = quality(heard.channel(number), heard.rate_Hz, heard.hello.bits, scale)
        if seen is None:
            continue
        name = f"channel {number}"
        if seen.flat or seen.railed > 0.01:
            what = "does not move" if seen.flat else f"is at its rail {100 * seen.railed:.0f} % of the time"
            yield Finding(
                *("signal", "warn", f"{name} {what}"), "Press all three electrodes on, clean the skin, use fresh gel"
            )
            continue
        text = f"{name}: noise {seen.noise:.1f} {unit} rms"
        if unit == "uV" and seen.noise > NOISE_WARN_uV:
            yield Finding(
                *("signal", "warn", f"{text}, more than {NOISE_WARN_uV:.0f}"),
                "Relax the muscle and keep still; if it stays, clean the skin and use fresh electrodes",
            )
        else:
            yield Finding("signal", "ok", text)
        text = f"{name}: {seen.mains:.1f} {unit} rms at {seen.mains_Hz} Hz"
        if unit == "uV" and seen.mains > MAINS_WARN_uV:
            yield Finding(
                *("mains", "warn", f"{text}, more than {MAINS_WARN_uV:.0f}"),
                "Run on battery, check the reference electrode, twist the leads and keep them from mains cables",
            )
        else:
            yield Finding("mains", "ok", text)


def test_signal(case: Case) -> Iterable[Finding]:
    """Every count of the board's own test signal arrives as it was made (asked for with --test-signal)."""
    if not case.test_signal or case.heard.hello is None:
        return
    again = "Unplug the board, plug it in, try again; if it stays, load the firmware anew (emgtwitch flash)"
    try:
        link = case.opener()()
        if link is None:
            raise NoBoardError("The board is gone.")
        try:
            seen = self_test(link, round(TEST_S * case.heard.rate_Hz))
        finally:
            link.close()
    except (EmgtwitchError, LinkLostError) as error:
        yield Finding("test signal", "bad", str(error).removesuffix(ASK_DOCTOR), again, NoBoardError.exit_code)
        return
    made = f"{seen.counts} counts of {seen.channels} x {seen.rate_Hz} Hz"
    if seen.wrong or seen.lost:
        yield Finding("test signal", "bad", f"{made}: {seen.wrong} wrong, {seen.lost} scans lost", again)
    else:
        yield Finding("test signal", "ok", f"{made}, every one as agreed")
