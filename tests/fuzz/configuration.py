"""The configuration file, as `run` and `replay` read it."""

from __future__ import annotations

import argparse
import functools

from emgtwitch.app.config import chosen_settings, read_config
from emgtwitch.app.out.mqtt import Broker
from emgtwitch.app.run import _worn
from emgtwitch.wire.records import Session
from tests.fuzz.law import Target
from tests.fuzz.scratch import scratch

_folder = functools.cache(scratch)
_NOTHING = argparse.Namespace(preset=None, assignments=None, **dict.fromkeys(("muscle", "side", "placement")))
_WHOLE = """
[detector]
preset = "default"
twitch_max_ms = 120
on_uV = 4.5
[device]
rate_Hz = 1000
channels = 2
oversampling = 4
[[worn]]
muscle = "calf"
side = "left"
placement = "belly"
[diary]
factors = ["coffee", "run"]
[mqtt]
host = "localhost"
port = 1883
username = "a"
password = "b"
discovery_prefix = "homeassistant"
[keep]
signal_days = 30
around_event_s = 60.0
"""


def _read(data: bytes) -> None:
    path = _folder() / "config.toml"
    path.write_bytes(data)
    config = read_config(str(path))
    settings = chosen_settings(_NOTHING, config.get("detector", {}))
    Session({"settings": settings.as_dict(), "worn": _worn(_NOTHING, config)}).pack()
    Broker.asked(None, config.get("mqtt", {}), {})


def _seeds() -> dict[str, bytes]:
    worn = 'worn = [{muscle = "x"}, {}]\ndetector = {preset = "sensitive", mains_Hz = 50}\n'
    return {"whole": _WHOLE.encode(), "inline": worn.encode(), "no_toml": b"[detector\n", "empty": b""}


_WORDS = (
    *(
        b"[detector]\n",
        b"[device]\n",
        b"[[worn]]\n",
        b"[diary]\n",
        b"[mqtt]\n",
        b"[keep]\n",
        b"preset = ",
        b"mains_Hz = ",
    ),
    *(b"channels = ", b"factors = [", b"host = ", b"nan", b"-inf", b"true", b"1979-05-27", b'"""', b"0x", b"1e999"),
)
TARGETS = (Target("config", _read, _seeds, _WORDS),)
