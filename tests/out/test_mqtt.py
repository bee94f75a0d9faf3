"""State and events on a real broker: what Home Assistant needs is there, and the broker may come and go."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from emgtwitch.app.out.mqtt import ENTITIES, Broker
from emgtwitch.errors import UsageError
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.log_reader import LogReader
from tests.sources.fake_board import wait_for

PATIENCE_S = 90.0
NAME = socket.gethostname()


class Mosquitto:
    """Debian's broker on a free port of the loopback interface."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        assert program is not None, "mosquitto is missing: sudo apt install mosquitto, or run make test."
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n")
        self._command = [program, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self._answers, 10.0)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
            return True
        return False


class Ear:
    """Hears everything on the broker; what was retained is marked."""

    def __init__(self, port: int) -> None:
        self.heard: queue.SimpleQueue[tuple[str, str, bool]] = queue.SimpleQueue()
        self.known: dict[str, str] = {}
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda client, data, m: self.heard.put((m.topic, m.payload.decode(), m.retain))
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("#", qos=1)
        self.client.loop_start()

    def until(self, topic: str, holds: Any = lambda text: True) -> str:
        """The next message under a topic whose text holds."""
        found: list[str] = []

        def look() -> bool:
            while not self.heard.empty():
                name, text, _ = self.heard.get()
                self.known[name] = text
                if name == topic and holds(text):
                    found.append(text)
                    return True
            return False

        wait_for(look, PATIENCE_S)
        return found[0]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def daemon(broker: Mosquitto, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    words = ["run", "--source", "sim:demo:1", "--data", str(tmp_path / "data"), "--no-page", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "emgtwitch.app.cli", *words, "--mqtt", f"127.0.0.1:{broker.port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)


def test_home_assistant_finds_the_sensor_and_the_broker_may_come_and_go(
    broker: Mosquitto, daemon: subprocess.Popen[str], tmp_path: Path
) -> None:
    ear = Ear(broker.port)
    topic = f"emgtwitch/{NAME}"
    assert ear.until(f"{topic}/availability") == "online"
    ear.until(f"{topic}/state", lambda text: json.loads(text)["twitches_today"] >= 2)
    event = json.loads(ear.until(f"{topic}/event", lambda text: json.loads(text)["type"] == "event"))
    assert {"class", "channel", "onset_s", "offset_s", "peak_uV", "utc_ms"} <= set(event)
    for key, (component, _, _) in ENTITIES.items():
        config = json.loads(ear.known[f"homeassistant/{component}/emgtwitch_{NAME}/{key}/config"])
        assert config["state_topic"] == f"{topic}/state"
        assert config["availability_topic"] == f"{topic}/availability"
        assert key in config["value_template"]
        assert {"name", "unique_id", "device"} <= set(config)

    # Home Assistant starts anew: everything is told once more.
    one = f"homeassistant/sensor/emgtwitch_{NAME}/state/config"
    ear.client.publish("homeassistant/status", "online")
    ear.until(one)
    ear.close()

    # The broker goes, with all that it kept, and comes back.
    broker.kill()
    with LogReader(tmp_path / "data" / LOG_NAME) as log:
        before = len(log.events())
    wait_for(lambda: _events(tmp_path) > before, PATIENCE_S)  # the daemon goes on
    broker.start()
    ear = Ear(broker.port)
    ear.until(one)
    assert ear.until(f"{topic}/availability", lambda text: text == "online")
    daemon.send_signal(signal.SIGTERM)
    assert ear.until(f"{topic}/availability", lambda text: text == "offline")
    ear.close()
    _, said = daemon.communicate(timeout=PATIENCE_S)
    assert said.count("is away; it is tried again") == 1
    assert said.count("connected to the MQTT broker") == 2


def test_who_dies_is_offline_by_the_last_will(broker: Mosquitto, daemon: subprocess.Popen[str]) -> None:
    ear = Ear(broker.port)
    ear.until(f"emgtwitch/{NAME}/availability", lambda text: text == "online")
    daemon.kill()
    daemon.communicate()
    ear.until(f"emgtwitch/{NAME}/availability", lambda text: text == "offline")
    ear.close()


def _events(tmp_path: Path) -> int:
    with LogReader(tmp_path / "data" / LOG_NAME) as log:
        return len(log.events())


def test_the_command_line_wins_and_the_password_is_not_on_it() -> None:
    table = {"host": "a", "port": 1, "username": "me", "password": "file"}
    assert Broker.asked(None, {}, {}) is None
    assert Broker.asked(None, table, {}) == Broker("a", 1, "me", "file")
    assert Broker.asked("b:2", table, {"EMGTWITCH_MQTT_PASSWORD": "env"}) == Broker("b", 2, "me", "env")
    assert Broker.asked("b", {}, {}) == Broker("b", 1883)
    with pytest.raises(UsageError, match="1 to 65535"):
        Broker.asked("b:99999", {}, {})
