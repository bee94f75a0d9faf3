"""`python -m tests.app.manual` writes docs/commands.md from the parsers, so that no option goes undocumented."""

from __future__ import annotations

import argparse
from dataclasses import fields

from emgtwitch.app.cli import COMMANDS, parser_for
from emgtwitch.settings import Settings
from tests.app.nursery import ROOT

PAGE = ROOT / "docs" / "commands.md"
SETTINGS = """
## Settings

Of the detector, for `--set NAME=VALUE` and for the table `[detector]` of the configuration file:

```toml
[detector]
preset = "fasciculation"
min_ms = 4

[device]  # what to ask the board for
rate_Hz = 2000
channels = 2

[[worn]]  # one for each channel
muscle = "gastrocnemius"
side = "left"
placement = "belly"

[diary]  # the page's one-tap entries
factors = ["coffee", "sleep", "exercise", "felt"]

[keep]  # what is older goes once a day; without it all signal is kept
signal_days = 30
around_event_s = 10
```

| setting | default | allowed | meaning |
|---|---|---|---|
"""
BAR = "\\|"
HEAD = """# Commands

Written by `python -m tests.app.manual`; do not edit. `emgtwitch COMMAND --help` says the same.

Exit codes: 0 done, 2 usage, 65 unreadable input, 69 no board, 71 no memory, 73 cannot write.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for command, (_, text) in COMMANDS.items():
        parts.append(f"\n## emgtwitch {command}\n\n{text[0].upper()}{text[1:]}.\n\n| option | meaning |\n|---|---|\n")
        parts += [_row(action) for action in parser_for(command)._actions if action.dest != "help"]
    parts.append(SETTINGS)
    for spec in fields(Settings):
        if "low" in spec.metadata:
            low, high, unit = (spec.metadata[key] for key in ("low", "high", "unit"))
            parts.append(
                f"| `{spec.name}` | {spec.default:g} | {low:g} to {high:g} {unit} | {spec.metadata['doc']} |\n"
            )
    return "".join(parts)


def _row(action: argparse.Action) -> str:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
    value = "" if action.nargs == 0 else str(value)
    shown = f"`{', '.join(action.option_strings)} {value}`" if action.option_strings else f"`{value}`"
    told = (action.help or "") % {"default": action.default}
    return f"| {shown.replace(' `', '`').replace('|', BAR)} | {told.replace('|', BAR)} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
