"""Settings from file and command line: the line wins, and what cannot be understood is said with its place."""

from __future__ import annotations

import argparse
import json
import signal
from pathlib import Path

import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.config import add_settings_arguments, chosen_settings, config_path, read_config
from emgtwitch.app.run import _worn
from emgtwitch.detect.presets import PRESETS, preset
from emgtwitch.errors import EmgtwitchError
from emgtwitch.settings import Settings
from emgtwitch.store.channel import ask
from tests.app.nursery import NOBODY, Nursery
from tests.store.processes import public_folder

__all__ = ["public_folder"]


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_settings_arguments(parser)
    return parser.parse_args(words)


def test_the_command_line_wins_over_the_file_and_a_preset_over_both() -> None:
    detector = {"preset": "myoclonus", "min_ms": 7, "spasm_min_s": 3}
    assert chosen_settings(arguments(), {}) == Settings()
    assert chosen_settings(arguments(), detector).min_ms == 7.0
    assert chosen_settings(arguments(), detector).preset == "myoclonus"
    assert chosen_settings(arguments("--set", "min_ms=8"), detector).min_ms == 8.0
    assert chosen_settings(arguments("--preset", "cramp"), detector) == preset("cramp")
    assert chosen_settings(arguments("--preset", "cramp", "--set", "min_ms=9"), detector).min_ms == 9.0


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_can_be_chosen_by_line_and_by_file(name: str) -> None:
    assert chosen_settings(arguments("--preset", name), {}) == chosen_settings(arguments(), {"preset": name})


def test_the_file_is_the_named_one_else_the_environment_s_else_the_xdg_one(tmp_path: Path) -> None:
    xdg = tmp_path / "emgtwitch" / "config.toml"
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    assert config_path(None, environ) is None
    xdg.parent.mkdir()
    xdg.touch()
    assert config_path(None, environ) == xdg
    assert config_path(None, environ | {"EMGTWITCH_CONFIG": "/b.toml"}) == Path("/b.toml")
    assert config_path("/a.toml", environ | {"EMGTWITCH_CONFIG": "/b.toml"}) == Path("/a.toml")
    assert config_path(None, {"XDG_CONFIG_HOME": "relative"}) != Path("relative/emgtwitch/config.toml")


def test_a_whole_file_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[detector]\npreset = "fasciculation"\nmin_ms = 4\n[device]\nrate_Hz = 2000\nchannels = 2\noversampling = 4\n'
        '[[worn]]\nmuscle = "gastrocnemius"\nside = "left"\n[[worn]]\nmuscle = "soleus"\n'
    )
    tables = read_config(str(path))
    assert chosen_settings(arguments(), tables["detector"]).twitch_max_ms == 50.0
    assert tables["device"] == {"rate_Hz": 2000, "channels": 2, "oversampling": 4}
    told = argparse.Namespace(muscle=None, side=["right", "right"], placement=["belly"])
    assert _worn(told, tables) == [
        {"muscle": "gastrocnemius", "side": "right", "placement": "belly"},
        {"muscle": "soleus", "side": "right"},
    ]
    assert _worn(told, {"worn": {"muscle": "soleus"}})[0] == {"muscle": "soleus", "side": "right", "placement": "belly"}


# content, exit code, what is said
BAD_FILES = [
    ("rate = = 3", 65, "is no TOML"),
    ("[detectr]\n", 2, "Table 'detectr' is unknown. Known are: detector, device, worn, diary, mqtt, keep."),
    ("detector = 5\n", 2, "it must be a table, with a line [detector] above its keys"),
    ("[detector]\ntwich_max_ms = 100\n", 2, "Setting 'twich_max_ms' is unknown. Known are: "),
    ("[detector]\ntwitch_max_ms = 1e9\n", 2, "must be a number from 5 to 10000 ms"),
    ('[detector]\nmin_ms = "4"\n', 2, "Setting min_ms is '4'; it must be a number"),
    ("[detector]\nmin_ms = nan\n", 2, "must be a number"),
    ('[detector]\npreset = "sleep"\n', 2, "There is no preset 'sleep'. Presets: default, "),
    ("[diary]\nfactor = 1\n", 2, "[diary] has no key 'factor'. Known is: factors."),
    ("[diary]\nfactors = [1]\n", 2, "it must be a list of words of at most 40 letters"),
    ("[device]\nrate_Hz = 1234\n", 2, "rate_Hz is 1234; allowed are 500, 1000, 2000, 4000."),
    ("[device]\nchannels = true\n", 2, "channels is True; allowed are 1, 2, 3, 4."),
    ("[device]\ngain = 1\n", 2, "[device] has no key 'gain'. Known are: rate_Hz, channels, oversampling."),
    ('[worn]\nmuscel = "soleus"\n', 2, "It takes texts for: muscle, side, placement."),
    ("[[worn]]\nmuscle = 3\n", 2, "[worn] has muscle = 3"),
    ("worn = [1]\n", 2, "It takes texts for"),
]


@pytest.mark.parametrize(("content", "code", "text"), BAD_FILES)
def test_what_a_file_says_wrongly_is_said_with_its_name(content: str, code: int, text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(content)
    with pytest.raises(EmgtwitchError) as caught:
        read_config(str(path))
    assert caught.value.exit_code == code
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"The configuration file {path}")


# options, what is said
BAD_OPTIONS = [
    (["--set", "twitch_max_ms"], "say NAME=NUMBER"),
    (["--set", "twitch_max_ms=long"], "say NAME=NUMBER"),
    (["--set", "shiver=3"], "Setting 'shiver' is unknown. Known are: "),
    (["--set", "min_ms=0"], "must be a number from 1 to 10000 ms"),
    (["--set", "preset=1"], "a preset is chosen with --preset NAME"),
    (["--set", "twitch_max_ms=9000"], "the longest twitch must be shorter than the shortest spasm"),
]


@pytest.mark.parametrize(("options", "text"), BAD_OPTIONS)
@pytest.mark.parametrize("command", [["run", "--source", "sim"], ["replay", "any.txt", "--fs", "1000"]])
def test_an_impossible_setting_is_a_usage_error(
    command: list[str], options: list[str], text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "any.txt"
    file.write_text("1\n2\n" * 500)
    command = [word.replace("any.txt", str(file)) for word in command]
    if command[0] == "run":
        command += ["--data", str(tmp_path / "data")]
    assert main([*command, *options]) == 2
    out = capsys.readouterr()
    assert text in out.err
    assert out.out == ""
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "options", [["--preset", "sleep"], ["--rate", "1234"], ["--channels", "0"], ["--oversampling", "two"]]
)
def test_a_choice_that_is_none_names_those_that_are(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["run", *options])
    assert stop.value.code == 2
    assert "choose from" in capsys.readouterr().err or options[0] == "--oversampling"


def test_a_file_that_may_not_be_read_or_is_not_there_is_unreadable_input(public_folder: Path, nursery: Nursery) -> None:
    closed = public_folder / "config.toml"
    closed.touch(mode=0o600)
    for path, text in ((closed, "Permission denied"), (public_folder / "none.toml", "No such file")):
        for options in ({"environ": {"EMGTWITCH_CONFIG": str(path)}}, {}):
            named = [] if options else ["--config", str(path)]
            run = nursery.run("run", "--source", "sim", "--data", public_folder, *named, uid=NOBODY, **options)
            assert run.code == 65
            assert f"The configuration file {path} cannot be read: {text}" in run.said()
            assert "--config or EMGTWITCH_CONFIG" in run.said()


def test_the_device_table_reaches_the_board(nursery: Nursery, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[device]\nrate_Hz = 500\nchannels = 2\n")
    for options, rate_Hz in (([], 500.0), (["--rate", "2000"], 2000.0)):
        data = tmp_path / f"{rate_Hz:g}"
        live = nursery.start("run", "--source", "sim", "--config", path, "--json", "--data", data, *options)
        live.wait_for(lambda live: "streams" in live.said())
        live.wait_for(lambda live: bool(live.of_type("interval")))

        state = ask(data, {"command": "status"}) or {}
        assert (state["rate_Hz"], state["channels"]) == (rate_Hz, 2)
        live.end(signal.SIGINT)
        assert json.loads(live.out.read_text().splitlines()[-1])["scans_seen"] > 0
