"""Laws of a command that the system gives no more memory."""

from __future__ import annotations

import errno
import os

import pytest

from emgtwitch.app import events
from emgtwitch.app.cli import main

REFUSALS = (
    MemoryError(),
    RuntimeError("can't start new thread"),
    RuntimeError("can't allocate lock"),
    OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
)


@pytest.mark.parametrize("refusal", REFUSALS, ids=repr)
@pytest.mark.parametrize("handled", [False, True])
def test_it_says_so_whatever_it_was_doing(
    refusal: Exception, handled: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def act(_: object) -> int:
        try:
            raise refusal
        finally:
            if handled:
                raise ZeroDivisionError("while it was tidied up")

    monkeypatch.setattr(events, "main", act)
    assert main(["events"]) == 71
    assert capsys.readouterr().err.startswith("emgtwitch: The system gives this program no more memory.")


def test_another_defect_is_none_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(_: object) -> int:
        raise RuntimeError("a defect")

    monkeypatch.setattr(events, "main", act)
    with pytest.raises(RuntimeError, match="a defect"):
        main(["events"])
