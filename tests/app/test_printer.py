"""Laws of printing beside acquisition: in order, complete, and never in the way."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

import pytest

from emgtwitch.app import printer
from emgtwitch.app.printer import Printer


@contextlib.contextmanager
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, TextIO]]:
    """The reading end of a pipe and, as standard output, its writing end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        yield reading, stream


def drained(reading: int) -> bytes:
    with os.fdopen(reading, "rb") as file:
        return file.read()


def test_lines_leave_whole_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    with pipe(monkeypatch) as (reading, _):
        printer = Printer(lambda: told.append("gone"), told.append)
        for n in range(300):
            printer.out(f"line {n} µV")
        printer.close()
    assert drained(reading).decode().splitlines() == [f"line {n} µV" for n in range(300)]
    assert told == []


def test_a_reader_that_does_not_read_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"{n:06d} " + "x" * 1000 for n in range(1000)]  # sixteen times what a pipe holds
    got: list[bytes] = []
    with pipe(monkeypatch) as (reading, _):
        printer = Printer(lambda: None, lambda text: None)
        for text in lines:
            printer.out(text)  # would block for ever if it wrote itself
        reader = threading.Thread(target=lambda: got.append(drained(reading)))
        reader.start()
        printer.close()
    reader.join(10.0)
    assert [line[:6] for line in got[0].decode().splitlines()] == [line[:6] for line in lines]
    assert len(got[0]) == 1008 * len(lines)


def test_a_reader_that_went_away_is_told_and_nothing_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = threading.Event()
    told: list[str] = []
    with pipe(monkeypatch) as (reading, _):
        printer = Printer(gone.set, told.append)
        os.close(reading)
        printer.out("a")
        printer.out("b")
        printer.close()
    assert gone.is_set()
    assert told == []


def test_an_output_that_takes_nothing_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        printer = Printer(lambda: told.append("gone"), told.append)
        printer.out("a")
        printer.out("b")
        printer.close()
    assert told == ["Standard output cannot be written: No space left on device. Recording and log go on."]


def test_a_line_for_which_there_is_no_memory_does_not_end_printing(monkeypatch: pytest.MonkeyPatch) -> None:
    write = printer._write

    def scarce(stream: TextIO, text: str) -> None:
        if text == "a":
            raise MemoryError
        write(stream, text)

    monkeypatch.setattr(printer, "_write", scarce)
    with pipe(monkeypatch) as (reading, _):
        printing = Printer(lambda: None, lambda text: None)
        printing.out("a")
        printing.out("b")
        printing.close()
    assert drained(reading) == b"b\n"


def test_a_thread_that_ended_for_want_of_memory_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    with pipe(monkeypatch) as (reading, _):
        printing = Printer(lambda: None, lambda text: None)
        printing._lines.put(None)  # ends it as well
        printing._thread.join()
        printing.out("a")
        printing.close()
    assert drained(reading) == b"a\n"


def test_without_standard_output_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(sys, "stdout", None)
    printer = Printer(lambda: told.append("gone"), told.append)
    printer.out("a")
    printer.close()
    assert told == []
