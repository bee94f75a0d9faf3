"""What the simulated wearer is like: every knob, with its unit in its name, and a table of ready-made wearers.

Amplitudes of events are those of the band-passed signal (20-450 Hz) at the electrode; times of the schedule are true
seconds (the board's clock may differ by `clock_ppm`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MuscleKind = Literal["twitch", "doublet", "jerk", "train", "contraction", "spasm", "twitch_on_tone"]
ArtefactKind = Literal["motion", "tap", "lead_off", "flat"]
Kind = MuscleKind | ArtefactKind

# Durations in s that a kind has where nothing else is said (drawn log-uniformly). New kinds go to the end: a kind's
# place seeds its random numbers.
MUSCLE_KINDS: dict[Kind, tuple[float, float]] = {
    "twitch": (0.01, 0.01),  # one discharge of one motor unit: as long as its potential
    "doublet": (0.045, 0.045),  # the same unit again after 32-35 ms
    "jerk": (0.03, 0.12),  # a volley of many units, as in myoclonus
    "train": (0.6, 5.0),  # one unit again and again at 2-20 Hz
    "contraction": (0.15, 2.0),  # asynchronous firing, rising and falling
    "spasm": (2.0, 60.0),  # sharp or ramped, wavering, with pauses
    "twitch_on_tone": (2.0, 8.0),  # a weak contraction with one to three twitches on it
}
ARTEFACT_KINDS: dict[Kind, tuple[float, float]] = {
    "motion": (0.2, 1.5),  # slow swing of the baseline, with or without a step
    "tap": (0.03, 0.12),  # a knock at the cable: a step that rings
    "lead_off": (2.0, 20.0),  # electrode off, input driven to a rail
    "flat": (2.0, 20.0),  # input shorted: a flat line at mid-scale
}


@dataclass(frozen=True, slots=True)
class Device:
    """The converter: a count is `reference_mV` / 2**count_bits / `gain` at the electrode."""

    bits: int = 10  # of one conversion
    oversampling: int = 1  # conversions summed into a count: 1, 4 or 8
    reference_mV: float = 5000.0
    gain: float = 1000.0
    offset_counts: float = 0.0  # of the mid-supply against mid-scale

    @property
    def count_bits(self) -> int:
        """A count lies in 0 .. 2**count_bits - 1."""
        return self.bits + self.oversampling.bit_length() - 1

    @property
    def uV_per_count(self) -> float:
        return float(self.reference_mV * 1000.0 / 2**self.count_bits / self.gain)


@dataclass(frozen=True, slots=True)
class Spontaneous:
    """Events of one kind at random times: a Poisson process that waits while another event lasts."""

    kind: Kind
    per_hour: float
    amplitude: tuple[float, float]  # lowest and highest, drawn uniformly in dB
    amplitude_in: Literal["peak_uV", "snr_dB"] = "peak_uV"  # snr_dB: in-event RMS over the floor's, 20-450 Hz
    duration_s: tuple[float, float] | None = None  # drawn log-uniformly; None: as usual for the kind


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One event at an exact place: its true onset lies at `onset_s`."""

    onset_s: float
    kind: Kind
    amplitude_uV: float = 200.0  # peak, band-passed (of an artefact: as it is); unused by lead_off, flat
    duration_s: float | None = None  # None: drawn as usual for the kind
    snr_dB: float | None = None  # takes the place of amplitude_uV
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A wearer and the board that is worn. Each channel is a muscle of its own with its own random events."""

    # board
    fs_Hz: float = 1000.0
    channels: int = 1
    device: Device = field(default_factory=Device)
    clock_ppm: float = 0.0  # the board makes fs_Hz * (1 + clock_ppm * 1e-6) scans a true second

    # muscle (Fuglevand, Winter and Patla 1993, J Neurophysiol 70:2470)
    motor_units: int = 120
    size_range: float = 100.0  # largest unit's size over the smallest's; sizes grow exponentially
    threshold_range: float = 30.0  # largest recruitment threshold over the smallest
    min_rate_Hz: float = 8.0  # of a unit just recruited
    peak_rate_Hz: tuple[float, float] = (40.0, 28.0)  # of the smallest and of the largest unit
    isi_cv: float = 0.2  # coefficient of variation of the intervals between a unit's discharges
    full_rms_uV: float = 600.0  # of the strongest contraction: decides how many units a given amplitude takes
    fibre_depth_mm: tuple[float, float] = (4.5, 10.0)
    electrode_spacing_mm: float = 20.0
    electrode_from_endplate_mm: tuple[float, float] = (20.0, 35.0)
    fibre_half_length_mm: float = 65.0
    velocity_m_per_s: tuple[float, float] = (3.7, 4.9)  # of the smallest and of the largest unit
    endplate_spread_mm: tuple[float, float] = (2.0, 5.0)  # standard deviation within a unit

    # events
    spontaneous: tuple[Spontaneous, ...] = ()
    schedule: tuple[Scheduled, ...] = ()
    schedule_period_s: float = 0.0  # the schedule starts again every so often; 0: it happens once
    train_rate_Hz: tuple[float, float] = (2.0, 20.0)
    min_gap_s: float = 0.4  # between random events of one channel
    held_tone_below_dB: tuple[float, float] = (10.0, 14.0)  # twitch_on_tone: RMS of the tone below its twitches'
    held_tone_wavering: float = 0.15  # standard deviation of the logarithm of that tone's excitation
    held_tone_correlation_s: float = 0.5  # how fast it wavers

    # what is always there
    tone_uV: float = 0.0  # RMS of resting tone in 20-450 Hz
    tone_variability_dB: float = 3.0  # standard deviation of its slow wandering
    tone_correlation_s: float = 1.5  # how fast it wanders: real tone comes in bursts
    tone_profile: tuple[tuple[float, float], ...] = ()  # (true s, factor to tone_uV), linear in between; (): 1
    amplifier_noise_uV: float = 1.5  # RMS in 20-450 Hz, white with a 1/f part
    flicker_corner_Hz: float = 20.0  # where the amplifier's 1/f part equals its white part
    electrode_noise_uV: float = 2.0  # RMS in 20-450 Hz, 1/f
    electrode_noise_variability_dB: float = 0.5  # standard deviation of its slow wandering
    noise_profile: tuple[tuple[float, float], ...] = ()  # (true s, factor to all noise), linear in between; (): 1
    noise_tail_dB: float = 0.0  # standard deviation of the noise's fast (20 ms) wandering at equal power: heavy tails
    drift_uV: float = 0.0  # peak of the slow (3-30 s) wandering of the baseline
    mains_Hz: float = 50.0
    mains_uV: tuple[float, ...] = ()  # peak of the fundamental, of the second harmonic, ...
    mains_wander_Hz: float = 0.1  # the frequency stays within so much of mains_Hz; 0.5 at most
    mains_spell_s: tuple[float, float] = (0.0, 0.0)  # mean time that mains stays on and off; 0, 0: always on
    ecg_uV: float = 0.0  # peak of the R wave
    ecg_rate_per_min: float = 70.0
    ecg_qrs_width: float = 1.0  # of the Q, R and S waves, over the smooth ones of a distant heart; 0.3 is sharp
    ecg_variability: float = 0.05  # coefficient of variation of the beat intervals

    def __post_init__(self) -> None:
        if not self.fs_Hz > 0 or self.channels < 1:
            raise ValueError(f"A wearer needs fs_Hz > 0 and at least 1 channel, not {self.fs_Hz} and {self.channels}.")
        if self.device.oversampling not in (1, 2, 4, 8, 16) or not 1 <= self.device.count_bits <= 16:
            raise ValueError(f"{self.device} does not give counts of at most 16 bits.")
        if not 0 <= self.mains_wander_Hz <= 0.5:
            raise ValueError(f"mains_wander_Hz is {self.mains_wander_Hz}; it must lie in 0 .. 0.5.")
        known = {**MUSCLE_KINDS, **ARTEFACT_KINDS}
        for kind in [row.kind for row in self.spontaneous] + [row.kind for row in self.schedule]:
            if kind not in known:
                raise ValueError(f"Events of kind {kind!r} are unknown; known are {', '.join(known)}.")
        if self.schedule and self.schedule_period_s and max(s.onset_s for s in self.schedule) >= self.schedule_period_s:
            raise ValueError(f"The schedule goes beyond its period of {self.schedule_period_s} s.")


_DEMO = (
    Scheduled(1.5, "twitch", 180.0),
    Scheduled(2.8, "twitch", 420.0),
    Scheduled(4.0, "doublet", 250.0),
    Scheduled(5.5, "contraction", 700.0, 0.9),
    Scheduled(8.2, "jerk", 500.0, 0.06),
    Scheduled(9.5, "twitch", 120.0),
    Scheduled(10.4, "twitch", 300.0),
    Scheduled(12.0, "train", 220.0, 1.6),
    Scheduled(17.0, "spasm", 1300.0, 6.0),
    Scheduled(27.0, "contraction", 400.0, 0.4),
    Scheduled(30.0, "twitch_on_tone", 350.0, 4.0),
    Scheduled(37.0, "twitch", 160.0),
    Scheduled(39.0, "contraction", 900.0, 1.6),
    Scheduled(43.0, "jerk", 300.0, 0.12),
)

SCENARIOS: dict[str, Scenario] = {
    # lively: each minute has many twitches, contractions and a spasm, the first ten seconds some of them
    "demo": Scenario(
        spontaneous=(Spontaneous("twitch", 400, (40.0, 400.0)),),
        schedule=_DEMO,
        schedule_period_s=46.0,
        clock_ppm=40.0,
        mains_uV=(3.0, 0.5, 1.5),
        drift_uV=20.0,
    ),
    # nothing but noise and a little mains: any event is false
    "quiet": Scenario(mains_uV=(2.0, 0.3, 1.0), drift_uV=10.0),
    # the fasciculations of ALS: 40 a minute (median of SPiQE)
    "twitches": Scenario(
        spontaneous=(
            Spontaneous("twitch", 2000, (3.0, 30.0), "snr_dB"),
            Spontaneous("doublet", 200, (6.0, 30.0), "snr_dB"),
            Spontaneous("jerk", 200, (3.0, 30.0), "snr_dB"),
        ),
    ),
    "trains": Scenario(
        spontaneous=(
            Spontaneous("train", 300, (10.0, 35.0), "snr_dB"),
            Spontaneous("twitch", 200, (6.0, 35.0), "snr_dB"),
        ),
    ),
    "spasms": Scenario(
        spontaneous=(
            Spontaneous("spasm", 60, (10.0, 45.0), "snr_dB"),
            Spontaneous("contraction", 120, (6.0, 45.0), "snr_dB"),
        ),
    ),
    "tone": Scenario(
        tone_uV=8.0,
        spontaneous=(
            Spontaneous("twitch_on_tone", 150, (20.0, 35.0), "snr_dB"),
            Spontaneous("twitch", 600, (8.0, 30.0), "snr_dB"),
            Spontaneous("contraction", 100, (10.0, 40.0), "snr_dB"),
        ),
    ),
    "confounders": Scenario(
        spontaneous=(
            Spontaneous("twitch", 120, (15.0, 30.0), "snr_dB"),
            Spontaneous("contraction", 30, (15.0, 40.0), "snr_dB"),
            Spontaneous("motion", 60, (200.0, 2000.0)),
            Spontaneous("tap", 40, (200.0, 3000.0)),
            Spontaneous("lead_off", 10, (1.0, 1.0)),
            Spontaneous("flat", 6, (1.0, 1.0)),
        ),
        clock_ppm=-300.0,
        mains_uV=(20.0, 3.0, 8.0, 1.0, 3.0),
        mains_wander_Hz=0.5,
        mains_spell_s=(60.0, 60.0),
        ecg_uV=150.0,
        drift_uV=60.0,
    ),
    # the board and the electrode at their best: only events
    "clean": Scenario(
        amplifier_noise_uV=0.5,
        electrode_noise_uV=0.5,
        spontaneous=(
            Spontaneous("twitch", 600, (100.0, 500.0)),
            Spontaneous("jerk", 120, (100.0, 800.0)),
            Spontaneous("contraction", 120, (200.0, 1000.0)),
            Spontaneous("spasm", 30, (300.0, 1500.0), "peak_uV", (2.0, 15.0)),
        ),
    ),
}
