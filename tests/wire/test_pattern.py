"""The test signal's pattern, as firmware and host agreed on it."""

from __future__ import annotations

from emgtwitch.wire.pattern import scan


def test_one_channel_counts_in_sevens() -> None:
    assert [scan(n, 1)[0] for n in (0, 1, 146, 147)] == [0, 7, 1022, 5]


def test_channels_are_converted_in_turn_and_told_apart() -> None:
    assert scan(0, 4) == (0, 7 + 129, 14 + 258, 21 + 387)
    assert scan(1, 4)[0] == 28


def test_a_count_is_the_sum_of_its_conversions() -> None:
    assert scan(3, 1, 4) == (sum((12 + n) * 7 for n in range(4)),)
    assert scan(0, 2, 4)[1] == sum((2 * n + 1) * 7 + 129 for n in range(4))
    assert max(scan(n, 1, 8)[0] for n in range(2000)) < 8 * 1024


def test_it_goes_on_where_the_scan_index_wraps() -> None:
    """The board counts conversions modulo 2**32, of which the pattern's period is a divisor."""
    assert scan(2**32 + 5, 1) == scan(5, 1)
