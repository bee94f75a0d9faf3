"""Laws of the settings: nothing wrong gets in, every error says what is allowed, equal settings have one digest."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emgtwitch.errors import UsageError
from emgtwitch.settings import Settings, SettingsError

NUMBERS = [spec for spec in fields(Settings) if "low" in spec.metadata]
NAMES = [spec.name for spec in NUMBERS]


@pytest.mark.parametrize("spec", NUMBERS, ids=NAMES)
def test_every_setting_keeps_its_limits_and_says_them(spec: Any) -> None:
    low, high = spec.metadata["low"], spec.metadata["high"]
    assert low <= spec.default <= high
    assert spec.metadata["doc"]
    for wrong in (low - 1, high + 1, float("nan"), float("inf"), "1", None, True, [1]):
        with pytest.raises(SettingsError) as error:
            Settings.from_mapping({spec.name: wrong})
        assert f"Setting {spec.name} is {wrong!r}; it must be a number from {low:g} to {high:g}" in str(error.value)
        assert spec.metadata["doc"] in str(error.value)


@pytest.mark.parametrize("spec", NUMBERS, ids=NAMES)
def test_every_setting_has_its_unit_in_its_name(spec: Any) -> None:
    unit = spec.metadata["unit"]
    assert not unit or spec.name.endswith("_" + unit) or (spec.name, unit) == ("false_per_hour", "1/h")


def test_a_count_is_a_whole_number() -> None:
    with pytest.raises(SettingsError, match=r"train_min_count is 2\.5; it must be a whole number"):
        Settings(train_min_count=2.5)  # type: ignore[arg-type]
    assert Settings(train_min_count=4.0) == Settings(train_min_count=4)  # type: ignore[arg-type]


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(SettingsError, match="the longest twitch must be shorter than the shortest spasm"):
        Settings(twitch_max_ms=2000, spasm_min_s=2)
    with pytest.raises(SettingsError, match="the lower edge must be below the upper one"):
        Settings(band_low_Hz=80, band_high_Hz=80)


def test_an_unknown_setting_is_named_beside_the_known() -> None:
    with pytest.raises(SettingsError, match=r"Setting 'twitch_ms' is unknown\. Known are: preset, ") as error:
        Settings.from_mapping({"twitch_ms": 3})
    assert all(name in str(error.value) for name in NAMES)
    assert issubclass(SettingsError, UsageError)


@pytest.mark.parametrize("wrong", [3, None, ["default"]])
def test_a_preset_is_a_name(wrong: object) -> None:
    with pytest.raises(SettingsError, match=r"Setting preset is .*; it must be a name"):
        Settings.from_mapping({"preset": wrong})


VALUES = st.fixed_dictionaries(
    {
        spec.name: st.integers(spec.metadata["low"], spec.metadata["high"])
        if isinstance(spec.default, int)
        else st.floats(spec.metadata["low"], spec.metadata["high"])
        for spec in NUMBERS
        if spec.name not in ("twitch_max_ms", "spasm_min_s", "band_low_Hz", "band_high_Hz")
    }
)


@given(VALUES)
def test_settings_read_back_from_json_as_they_were(values: dict[str, float]) -> None:
    chosen = Settings.from_mapping(values)
    back = Settings.from_mapping(json.loads(json.dumps(chosen.as_dict())))
    assert back == chosen
    assert back.digest == chosen.digest


@given(VALUES, VALUES)
def test_digests_are_equal_exactly_for_equal_settings(a: dict[str, float], b: dict[str, float]) -> None:
    one, other = Settings.from_mapping(a), Settings.from_mapping(b)
    assert (one.digest == other.digest) == (one == other)


@pytest.mark.parametrize("spec", NUMBERS, ids=NAMES)
def test_every_setting_changes_the_digest(spec: Any) -> None:
    low, high = spec.metadata["low"], spec.metadata["high"]
    step = 1 if isinstance(spec.default, int) else 0.25
    other = spec.default + step if spec.default + step <= high else max(low, spec.default - step)
    assert Settings.from_mapping({spec.name: other}).digest != Settings().digest


def test_a_whole_number_and_the_same_with_a_point_are_one_setting() -> None:
    assert Settings(min_ms=5).digest == Settings(min_ms=5.0).digest


def test_the_presets_name_does_not_change_what_is_found() -> None:
    assert Settings(preset="mine").digest == Settings().digest


def test_the_digest_of_the_defaults_stays_as_logs_know_it() -> None:
    """A changed digest makes every replay a new run in every log: change it knowingly."""
    assert Settings().digest == "2b6c6a3caed2"


def test_values_go_over_a_base() -> None:
    base = Settings(min_ms=7, twitch_max_ms=90)
    assert Settings.from_mapping({"min_ms": 8}, base) == Settings(min_ms=8, twitch_max_ms=90)
    assert Settings.from_mapping({}, base) == base


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().min_ms = 3  # type: ignore[misc]
