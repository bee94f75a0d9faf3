"""A daemon on the simulated wearer and Chromium on its page: nothing leaves this machine, no error is left unsaid."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.sources.fake_board import wait_for

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
PATIENCE_S = 60.0
DESKTOP, PHONE = (1280, 800), (390, 844)
SCENARIO = "sim:demo:1"


class Daemon:
    """`emgtwitch run` in a process of its own, or `emgtwitch page` on `shown`; always on the same port."""

    def __init__(self, data: Path, source: str = SCENARIO, shown: Path | None = None) -> None:
        self.data, self.source, self.shown = data, source, shown
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it has said where its page is."""
        words = ["run", "--source", self.source, "--data", str(self.data), "--json"]
        if self.shown is not None:
            words = ["page", str(self.shown)]
        words += ["--port", str(self.port)]
        process = subprocess.Popen(
            [sys.executable, "-m", "emgtwitch.app.cli", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._process = process
        told: list[str] = []
        assert process.stderr is not None
        stream = process.stderr

        def listen() -> None:
            for line in stream:
                told.append(line)

        threading.Thread(target=listen, daemon=True).start()
        wait_for(lambda: any("the page is at" in line for line in told), PATIENCE_S)
        said = re.search(r"http://\S+", next(line for line in told if "the page is at" in line))
        assert said is not None
        assert said.group() == self.url

    def end(self, number: int = signal.SIGTERM) -> None:
        """Stop or kill it."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.communicate(timeout=PATIENCE_S)
            self._process = None


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """The demo, whose safety text has been acknowledged by the time that a test needs more than the first page."""
    running = Daemon(tmp_path_factory.mktemp("page") / "data")
    running.start()
    with contextlib.ExitStack() as stack:
        stack.callback(running.end)
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = shutil.which("chromium")
    assert path is not None, "Chromium is missing: sudo apt install chromium, or run make test, which installs it."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


class Watch:
    """What a page asks for and complains of."""

    def __init__(self, url: str) -> None:
        self.url, self.errors, self.strangers = url, list[str](), list[str]()

    def on(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.strangers.append(request.url)


@pytest.fixture
def watch(daemon: Daemon) -> Watch:
    return Watch(daemon.url)


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with contextlib.closing(chromium.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})) as context:
        context.set_default_timeout(1000 * PATIENCE_S / 4)
        yield context


@pytest.fixture
def page(context: BrowserContext, watch: Watch) -> Iterator[Page]:
    """A page that must leave no error on the console and ask nobody but the daemon."""
    page = context.new_page()
    watch.on(page)
    yield page
    assert watch.errors == []
    assert watch.strangers == []
