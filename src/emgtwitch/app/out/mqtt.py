"""Live to an MQTT broker, with discovery for Home Assistant: state, counts of the day, events."""

from __future__ import annotations

import collections
import datetime
import json
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emgtwitch.app.days import local_day
from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.state import state
from emgtwitch.detect.records import CLASSES
from emgtwitch.errors import UsageError
from emgtwitch.store.log_reader import Selection

TICK_S = 1.0
HOUR_MS = 3_600_000
MOST_WAITING = 1000  # messages while the broker is away; older ones go
PORT = 1883
KEEPALIVE_S = 20

# key of the state -> (component, name, more of its discovery)
ENTITIES: dict[str, tuple[str, str, dict[str, str]]] = {
    "state": ("sensor", "Sensor", {"icon": "mdi:arm-flex-outline"}),
    "twitches_today": ("sensor", "Twitches today", {"state_class": "total_increasing", "icon": "mdi:flash-outline"}),
    "twitches_last_hour": ("sensor", "Twitches in the last hour", {"state_class": "measurement", "icon": "mdi:flash"}),
    "spasms_today": ("sensor", "Spasms today", {"state_class": "total_increasing", "icon": "mdi:alert-outline"}),
    "last_spasm": ("sensor", "Last spasm", {"device_class": "timestamp"}),
    "spasm": ("binary_sensor", "Spasm", {"payload_on": "true", "payload_off": "false"}),
}


@dataclass(frozen=True, slots=True)
class Broker:
    """Where it is, and who we are to it."""

    host: str
    port: int = PORT
    username: str | None = None
    password: str | None = None
    discovery_prefix: str = "homeassistant"

    @classmethod
    def asked(cls, text: str | None, table: Mapping[str, Any], environ: Mapping[str, str]) -> Broker | None:
        """From HOST[:PORT] of the command line and [mqtt] of the configuration. Raises UsageError."""
        host, _, port = (text or "").partition(":")
        told = {**table, **({"host": host} if host else {})}
        if not told.get("host"):
            return None
        if port and not (port.isdecimal() and 0 < int(port) < 65536):
            raise UsageError(f"--mqtt {text!r}: the port must be 1 to 65535. Say HOST or HOST:PORT.")
        if port:
            told["port"] = int(port)
        if password := environ.get("EMGTWITCH_MQTT_PASSWORD"):
            told["password"] = password
        return cls(**told)


class MqttOutlet:
    """Publishes from threads of its own. Nothing here makes acquisition or storing wait, the broker may come and go.

    `say` is told that it is connected, `warn` that it is not. Raises UsageError where paho-mqtt is not installed.
    """

    def __init__(self, broker: Broker, device: str, say: Callable[[str], None], warn: Callable[[str], None]) -> None:
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise UsageError("--mqtt needs paho-mqtt: pip install 'emgtwitch[mqtt]'.") from None
        self._broker, self._device, self._say, self._warn = broker, device, say, warn
        self._topic = f"emgtwitch/{device}"
        self._stop = threading.Event()
        self._again: queue.SimpleQueue[str] = queue.SimpleQueue()  # why everything is to be told anew
        self._connected: bool | None = None
        self._counts: dict[str, int] = dict.fromkeys(CLASSES, 0)
        self._day: datetime.date | None = None
        self._hour: collections.deque[int] = collections.deque(maxlen=100_000)  # UTC ms of twitches
        self._last_spasm_ms: int | None = None
        self._thread: threading.Thread | None = None
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"emgtwitch-{device}")
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        client.will_set(f"{self._topic}/availability", "offline", qos=1, retain=True)
        client.max_queued_messages_set(MOST_WAITING)
        client.reconnect_delay_set(1, 30)
        client.on_connect, client.on_disconnect, client.on_message = (
            self._on_connect,
            self._on_disconnect,
            self._on_birth,
        )
        client.connect_async(broker.host, broker.port, keepalive=KEEPALIVE_S)
        client.loop_start()
        self._client: Any = client

    def begin(self, desk: Desk) -> None:
        """There is signal: from now on state and events are published."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(desk,), name="mqtt", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Say that nobody is there any more, and leave."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5.0)
        if self._connected:
            self._client.publish(f"{self._topic}/availability", "offline", qos=1, retain=True).wait_for_publish(2.0)
        self._client.disconnect()
        self._client.loop_stop()

    # paho's thread

    def _on_connect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._say_change(False, f"The MQTT broker {self._broker.host} refuses: {reason}.")
            return
        self._say_change(True, f"connected to the MQTT broker {self._broker.host}")
        client.subscribe(f"{self._broker.discovery_prefix}/status")
        self._again.put("connected")

    def _on_disconnect(self, client: Any, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not self._stop.is_set():
            self._say_change(False, f"The MQTT broker {self._broker.host} is away; it is tried again and again.")

    def _on_birth(self, client: Any, userdata: Any, message: Any) -> None:
        if message.payload == b"online":  # Home Assistant has started, and knows nothing
            self._again.put("birth")

    def _say_change(self, connected: bool, text: str) -> None:
        if self._connected is not connected:
            self._connected = connected
            (self._say if connected else self._warn)(text)

    # Our own thread

    def _run(self, desk: Desk) -> None:
        seen = self._catch_up(desk)
        last = ""
        while True:
            anew = False
            while not self._again.empty():
                self._again.get_nowait()
                anew = True
            if anew:
                self._discover()
                self._publish("availability", "online", retain=True)
            seen, items, _ = desk.news.since(seen)
            for item in items:
                self._take(item)
            told = json.dumps(self._state(desk))
            if anew or told != last:
                self._publish("state", told, retain=True)
                last = told
            if self._stop.wait(TICK_S):
                return

    def _catch_up(self, desk: Desk) -> int:
        """What the log has of today and of the last hour already; where the news go on."""
        seen = desk.news.count
        now_ms = desk.now_ms()
        with desk.log() as log:
            events = log.events(Selection(from_utc_ms=now_ms - 24 * HOUR_MS))
        self._day = desk.today()
        for event in events:
            self._count(event["class"], event["utc_ms"], event["utc_offset_s"])
        return seen

    def _take(self, item: dict[str, Any]) -> None:
        if item["type"] in ("event", "interval", "mark", "announcement"):
            self._publish("event", json.dumps(item), retain=False)
        if item["type"] == "event":
            self._count(item["class"], item["utc_ms"], item["utc_offset_s"])

    def _count(self, name: str, utc_ms: int | None, offset_s: int | None) -> None:
        if utc_ms is None or offset_s is None:
            return
        if local_day(utc_ms, offset_s) == self._day:
            self._counts[name] += 1
        if name == "twitch":
            self._hour.append(utc_ms)
        elif name == "spasm":
            self._last_spasm_ms = max(utc_ms, self._last_spasm_ms or 0)

    def _state(self, desk: Desk) -> dict[str, Any]:
        if desk.today() != self._day:
            self._day, self._counts = desk.today(), dict.fromkeys(CLASSES, 0)
        while self._hour and self._hour[0] < desk.now_ms() - HOUR_MS:
            self._hour.popleft()
        last = self._last_spasm_ms
        told = state(desk)
        return {
            "state": told["headline"],
            "what_to_do": told["do"],
            "twitches_today": self._counts["twitch"],
            "twitches_last_hour": len(self._hour),
            "spasms_today": self._counts["spasm"],
            "last_spasm": None
            if last is None
            else datetime.datetime.fromtimestamp(last // 1000, datetime.UTC).isoformat(),
            "spasm": bool(told["running"]),
        }

    def _discover(self) -> None:
        device = {"identifiers": [f"emgtwitch-{self._device}"], "name": "emgtwitch", "manufacturer": "emgtwitch"}
        for key, (component, name, more) in ENTITIES.items():
            value = "{{ value_json." + key + (" | lower" if component == "binary_sensor" else "") + " }}"
            config = {
                "name": name,
                "unique_id": f"emgtwitch_{self._device}_{key}",
                "state_topic": f"{self._topic}/state",
                "value_template": value,
                "availability_topic": f"{self._topic}/availability",
                "device": device,
                **more,
            }
            topic = f"{self._broker.discovery_prefix}/{component}/emgtwitch_{self._device}/{key}/config"
            self._client.publish(topic, json.dumps(config), qos=1, retain=True)

    def _publish(self, name: str, text: str, *, retain: bool) -> None:
        self._client.publish(f"{self._topic}/{name}", text, qos=1, retain=retain)


def _iso(utc_ms: int) -> str:
    return datetime.datetime.fromtimestamp(utc_ms // 1000, datetime.UTC).isoformat()
