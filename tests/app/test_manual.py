"""Every command, option and setting is documented, and the documentation is the program's own word."""

from __future__ import annotations

import pytest

from emgtwitch.app.cli import COMMANDS, parser_for
from tests.app.manual import PAGE, page
from tests.app.nursery import ROOT


def test_the_page_of_commands_is_what_the_parsers_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.app.manual"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_stands_under_its_command(command: str) -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(f"\n## emgtwitch {command}\n")
    section, _, _ = rest.partition("\n## ")
    options = [option for action in parser_for(command)._actions for option in action.option_strings]
    assert [o for o in options if o not in ("-h", "--help") and f"`{o}" not in section] == []


def test_the_readme_leads_there() -> None:
    assert "(docs/commands.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
