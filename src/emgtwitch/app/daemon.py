"""The daemon: one session from the first byte to the summary. Acquisition here, storing and printing on threads."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emgtwitch.app.days import local_time
from emgtwitch.app.out.lsl import LslOutlet
from emgtwitch.app.out.mqtt import Broker, MqttOutlet
from emgtwitch.app.page.desk import Desk, utc_offset_s
from emgtwitch.app.page.news import News
from emgtwitch.app.page.server import PageServer
from emgtwitch.app.page.tap import Tap
from emgtwitch.app.printer import WARNING, Printer
from emgtwitch.app.retention import Retention
from emgtwitch.app.safety import SAFETY
from emgtwitch.app.show import Tally, json_line, line, summary_line
from emgtwitch.app.unattended.notify import Manager
from emgtwitch.app.unattended.sleep import Inhibitor
from emgtwitch.detect.records import Mark, Output, Progress, Stamped
from emgtwitch.errors import NoBoardError, UnreadableInputError, UsageError
from emgtwitch.pipeline import Pipeline
from emgtwitch.settings import Settings
from emgtwitch.sources.live import LiveSource, OpenLink
from emgtwitch.store.channel import CommandServer
from emgtwitch.store.folders import SESSIONS_NAME, log_path
from emgtwitch.store.keeper import Keeper
from emgtwitch.store.log import LogWriter
from emgtwitch.store.log_reader import LogReader
from emgtwitch.store.recording import SessionWriter
from emgtwitch.store.storage import Storage

READ_S = 0.25
PROGRESS_S = 1.0
DEAF_S = 5.0  # bytes for so long without a scan are of no use to the wearer
NO_CONTACT_S = 60.0  # on no channel; who changes the electrodes takes less
IDLE_LOOK_S = 0.9  # the page's memory is filled so often while nobody looks; the detector keeps 1.2 s


class Daemon:
    """Acquires, records, detects, logs and shows one session, until `stop` is set.

    The caller holds the lock of the data folder `folder`. `session` is the object of the recording's Session note,
    `device` what to ask the board for (rate_Hz, channels, oversampling; what is missing stays as it is), `page` the
    host and port of the live page, `config` the configuration file's tables. Raises CannotWriteError or
    UnreadableInputError where the log cannot be opened, UsageError where the page gets no port.
    """

    def __init__(
        self,
        open_link: OpenLink,
        folder: Path,
        session: Mapping[str, Any],
        device: Mapping[str, int],
        stop: threading.Event,
        as_json: bool = False,
        page: tuple[str, int] | None = None,
        config: Mapping[str, Any] | None = None,
        *,
        lsl: bool = False,
        broker: Broker | None = None,
        inhibit_sleep: bool = False,
    ) -> None:
        self._folder, self._session, self._stop, self._json = folder, session, stop, as_json
        self._troubles: deque[str] = deque(maxlen=10)
        self._tap: Tap | None = Tap() if page is not None or broker is not None else None
        self._pipeline = Pipeline(on_counts=self._heard if self._tap is not None or lsl else None)
        self._progress = self._pipeline.progress  # at most PROGRESS_S old; replaced, never changed
        self._tally = Tally(Settings.from_mapping(session["settings"]))
        self._printer = Printer(on_gone=stop.set, on_trouble=self._trouble)
        self._source = LiveSource(
            open_link,
            session,
            rate_Hz=device.get("rate_Hz"),
            channels=device.get("channels"),
            oversampling=device.get("oversampling"),
            on_state=self._say,
            on_trouble=self._warn,
        )
        self._page = PageServer(self._say, *page, self._trouble) if page is not None else None
        self._guards: list[dict[str, Any]] | None = None  # what earlier runs told of a board alone, once one tells
        self._desk: Desk | None = None  # once there is signal
        self._looked_s = 0.0
        self._news = News(session["recording_id"])
        self._config = config or {}
        name = socket.gethostname() or "host"
        self._lsl = LslOutlet(name, session.get("worn") or [], self._warn) if lsl else None
        self._mqtt = MqttOutlet(broker, name, self._say, self._warn) if broker is not None else None
        log = LogWriter(log_path(folder), awaits_room=True)
        recording = folder / SESSIONS_NAME / session["recording_id"]
        log.begin(recording)
        self._writer = SessionWriter(recording, session)
        storage = Storage(
            log, self._writer, on_stored=self._show, on_unstored=self._show_unstored, on_trouble=self._trouble
        )
        self._keeper = Keeper(storage, on_trouble=self._trouble)
        self._manager = Manager()
        self._inhibitor = Inhibitor(self._trouble) if inhibit_sleep else None
        self._retention = Retention(folder, self._config.get("keep", {}), self._trouble)
        self._heard_s = time.monotonic()  # when the last scan came, to PROGRESS_S
        self._hears = True
        self._touched_s = self._heard_s  # when a channel last had contact
        self._contact = True
        self._well, self._well_since_ms = False, session["started_utc_ms"]  # or not well since
        self._offset_s = self._well_offset_s = utc_offset_s(self._well_since_ms)

    def run(self) -> None:
        """Until `stop` is set. Raises NoBoardError, and UsageError for what the board refuses or cannot do."""
        server = CommandServer(self._folder, self._answer)
        if not self._json:
            self._printer.out(SAFETY)
        self._say(f"recording to {self._folder}; Ctrl-C stops")
        try:
            self._acquire()
        finally:
            self._manager.stopping()
            self._retention.close()
            if self._inhibitor is not None:
                self._inhibitor.release()
            server.close()
            if self._page is not None:
                self._page.close()
            if self._mqtt is not None:
                self._mqtt.close()
            tail, outputs = self._source.close(), []
            try:
                if self._source.hello is not None:
                    outputs = [*self._pipeline.feed(tail), *self._pipeline.finish()]
                    self._keeper.put(tail, outputs, self._pipeline.progress)
            finally:
                try:
                    self._keeper.close()
                finally:
                    if self._lsl is not None:
                        self._lsl.close()
                    self._printer.close()

    def _acquire(self) -> None:
        """Read, decode and hand over, until told to stop. Nothing here waits for a disk or a terminal."""
        reported_s = 0.0
        hello = None
        unheard = b""  # before any board has said Hello there is no session to keep
        while not self._stop.is_set():
            self._source.hurry = self._desk is not None and bool(self._desk.clients)
            data = unheard + self._source.read(READ_S)
            self._manager.alive(self._keeper.busy_for_s)
            self._note_well()
            if self._inhibitor is not None:  # again and again: that it was refused shows only later
                worn = self._source.connected and self._contact
                (self._inhibitor.hold if worn else self._inhibitor.release)()
            if self._source.hello is None:
                unheard = data
                continue
            unheard = b""
            if self._source.hello is not hello:
                hello = self._source.hello
                self._writer.hello(hello.pack())
                self._manager.ready(f"listens at {self._source.port}")
            try:
                outputs = self._pipeline.feed(data)
            except BaseException:
                self._keeper.put(data, [], None)  # whatever it is, the signal is not lost
                raise
            self._look()
            now_s = time.monotonic()
            progress: Progress | None = None
            if now_s - reported_s >= PROGRESS_S:
                progress = self._pipeline.progress
                if progress.scans_seen > self._progress.scans_seen:
                    self._heard_s = now_s
                self._progress = progress
                reported_s = now_s
                self._retention.look()
            if data or outputs or progress:
                self._keeper.put(data, outputs, progress)

    def _note_well(self) -> None:
        """Remember since when all is well, or not."""
        connected, now_s = self._source.connected, time.monotonic()
        if not connected:
            self._heard_s = now_s  # once it is there it has DEAF_S for its first scan
        hears = now_s - self._heard_s < DEAF_S  # over a bad cable there is only noise
        if hears is not self._hears:
            self._hears = hears
            words = "What the board sends is" + (" understood again." if hears else " not understood: check its cable.")
            self._trouble(words)
        channels = self._pipeline.channels
        if not connected or not hears or not channels or any(channel.has_contact for channel in channels):
            self._touched_s = now_s
        contact = now_s - self._touched_s < NO_CONTACT_S
        if contact is not self._contact:
            self._contact = contact
            self._trouble(
                "The electrodes have contact again." if contact else "No electrode has contact: press them on."
            )
        well = connected and hears and contact and not self._keeper.failing
        if well is not self._well:
            self._well, self._well_since_ms = well, round(time.time() * 1000)
            self._well_offset_s = utc_offset_s(self._well_since_ms)

    def _look(self) -> None:
        """Let the page's memory see what was fed; a defect there must not end the recording."""
        tap, now_s = self._tap, time.monotonic()
        if tap is None or (self._desk is not None and not self._desk.clients and now_s < self._looked_s + IDLE_LOOK_S):
            return
        self._looked_s = now_s
        try:
            tap.look(self._pipeline)
        except Exception as error:
            self._tap = None
            self._trouble(f"The page's signal has failed ({type(error).__name__}: {error}); recording goes on.")
            return
        if self._desk is None and tap.epoch is not None:
            self._desk = self._new_desk(tap)
            if self._page is not None:
                self._page.start(self._desk)
            if self._mqtt is not None:
                self._mqtt.begin(self._desk)

    def _heard(self, first: int, counts: npt.NDArray[np.float64]) -> None:
        """What the pipeline is fed, for those who show or pass it on; none of them waits."""
        if self._tap is not None:
            self._tap.counts(first, counts)
        if self._lsl is not None:
            self._lsl.counts(first, counts, self._pipeline)

    def _new_desk(self, tap: Tap) -> Desk:
        return Desk(
            folder=self._folder,
            config=self._config,
            tap=tap,
            news=self._news,
            status=lambda: self._status({}) | {key: self._session[key] for key in ("settings", "worn")},
            write=self._keeper.write,
            note=self._note,
        )

    # What a person sees; the first two run on the storage thread

    def _show(self, outputs: Sequence[Stamped]) -> None:
        self._news.post(outputs)
        if self._lsl is not None:
            self._lsl.post(outputs)
        self._print(outputs, stored=True)

    def _show_unstored(self, outputs: Sequence[Stamped]) -> None:
        self._print(outputs, stored=False)

    def _print(self, outputs: Sequence[Stamped], stored: bool) -> None:
        self._tally.add(outputs)
        remark = "" if stored else "  NOT STORED"
        for stamped in outputs:
            if not self._json and self._told_before(stamped.record):
                continue
            text = json_line(stamped.record, stored) if self._json else line(stamped.record, _wall(stamped)) + remark
            if text is not None:
                self._printer.out(text)

    def _told_before(self, record: Output) -> bool:
        """Whether an earlier run has told of this watch: the board repeats its last one until there is another."""
        if not isinstance(record, Mark) or (record.kind, record.source) != ("guard", "board"):
            return False
        if self._guards is None:
            self._guards = []
            with contextlib.suppress(UnreadableInputError), LogReader(log_path(self._folder)) as log:
                own = self._session["recording_id"]
                marks = [mark for mark in log.marks() if mark["kind"] == "guard" and mark["recording_id"] != own]
                self._guards = [mark["detail"] for mark in marks if mark["source"] == "board"]
        return record.detail in self._guards

    def _trouble(self, text: str) -> None:
        self._troubles.append(text)
        self._warn(text)

    def _warn(self, text: str) -> None:
        self._printer.err(f"emgtwitch: {text}", WARNING)

    def _say(self, text: str) -> None:
        self._printer.err(f"emgtwitch: {text}")

    def summary(self) -> str:
        """The last line, once the run has ended."""
        return summary_line(self._tally, self._pipeline.progress, self._json)

    # The socket; this runs on its thread

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        command = request.get("command")
        answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"mark": self._mark, "status": self._status}
        if not isinstance(command, str) or command not in answers:
            raise UsageError(f"The daemon knows the commands {' and '.join(answers)}, not {command!r}.")
        return answers[command](request)

    def _mark(self, request: dict[str, Any]) -> dict[str, Any]:
        detail = request.get("detail") or {}
        if not isinstance(detail, dict):
            raise UsageError(
                f"A mark's detail is an object, not {str(detail)[:40]!r}. Leave it out, or name its parts."
            )
        self._note(str(request.get("kind", "mark")), detail)
        return {"done": True}

    def _note(self, kind: str, detail: dict[str, Any]) -> None:
        if self._source.hello is None:
            raise NoBoardError("The daemon still waits for the board's first word. Mark again in a moment.")
        self._source.note(kind, detail)

    def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        progress, hello = self._progress, self._source.hello
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "since_utc_ms": self._session["started_utc_ms"],
            "utc_offset_s": self._offset_s,
            "recording_id": self._session["recording_id"],
            "source": self._source.port,
            "connected": self._source.connected,
            "hears": self._hears,
            "contact": self._contact,
            "duration_s": progress.duration_s,
            "analysable_s": list(progress.analysable_s),
            "scans_seen": progress.scans_seen,
            "scans_lost": progress.scans_lost,
            "frames_rejected": progress.frames_rejected,
            "clock_ppm": progress.clock_ppm,
            "clock_ppm_uncertainty": progress.clock_ppm_uncertainty,
            "troubles": list(self._troubles),
            "well": self._well,
            "well_since_utc_ms": self._well_since_ms,
            "well_since_offset_s": self._well_offset_s,
        }
        if (counters := self._pipeline.counters) is not None:
            state["board_errors"] = asdict(counters)
        if hello is not None:
            rate_Hz = hello.rate_num / hello.rate_den
            state |= {"device": f"{hello.device_id:016x}", "rate_Hz": rate_Hz, "channels": hello.channels}
        return state


def _wall(stamped: Stamped) -> str:
    """The wearer's clock then."""
    if stamped.utc_ms is None or stamped.offset_s is None:
        return "--:--:--.---"
    return local_time(stamped.utc_ms, stamped.offset_s).time().isoformat("milliseconds")
