"""The page in a real browser, on a running daemon: every view, every way to tell it something, and the loss of it."""

from __future__ import annotations

import json
import re
import signal
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import DESKTOP, PHONE, ROOT, SCREENSHOTS, Daemon, Watch
from tests.sources.fake_board import wait_for

VIEWS = {
    "now": "Now",
    "today": "Today",
    "diary": "Diary",
    "calibrate": "Calibrate",
    "more": "More",
    "first": "Before you begin",
}
STATIC = ROOT / "src/emgtwitch/app/page/static"
MOST_BYTES = 150 * 1024
AXE = ROOT / "build/axe/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def ask(daemon: Daemon, path: str) -> Any:
    with urllib.request.urlopen(f"{daemon.url}api/v1{path}", timeout=10) as answer:
        return json.load(answer)


def events(daemon: Daemon) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask(daemon, "/events")["events"]
    return found


def until(page: Page, condition: str) -> None:
    """Wait for what the page's own policy would not let it evaluate by itself."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"This did not come true: {condition}")


@pytest.fixture(scope="module")
def any_event(daemon: Daemon) -> dict[str, Any]:
    """A contraction or spasm that is over."""

    def over() -> list[dict[str, Any]]:
        return [e for e in events(daemon) if e["class"] != "twitch" and e["offset_s"] is not None]

    wait_for(lambda: bool(over()), 60.0)
    return over()[0]


def test_the_page_is_light() -> None:
    assert sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file()) <= MOST_BYTES


def test_the_first_run_asks_to_read_the_safety_text_once(daemon: Daemon, page: Page) -> None:
    page.goto(daemon.url)
    expect(page.get_by_role("heading", name="Before you begin")).to_be_visible()
    expect(page.get_by_text("Not a medical device")).to_be_visible()
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()
    page.goto("about:blank")
    page.goto(daemon.url)
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_view_opens_without_a_fault(
    daemon: Daemon, chromium: Browser, watch: Watch, any_event: dict[str, Any], theme: str, size: tuple[int, int]
) -> None:
    """No error, no stranger, nothing wider than the screen, nothing that axe calls serious; a picture is kept."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    watch.on(page)
    views = VIEWS | {f"event/{any_event['id']}": any_event["class"].capitalize()}
    for view, heading in views.items():
        page.goto(f"{daemon.url}#{view}")
        expect(page.get_by_role("heading", level=2).first).to_contain_text(heading)
        expect(page.locator("#state")).to_contain_text("Worn and good")
        if view.startswith("event"):
            expect(page.locator(".plot canvas")).to_be_visible()
        page.wait_for_timeout(500)
        name = view.partition("/")[0]
        page.screenshot(path=SCREENSHOTS / f"{name}-{theme}-{'phone' if size == PHONE else 'desktop'}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{view} is wider than the screen"
        serious = faults(page)
        assert serious == [], f"{view}: {serious}"
    context.close()
    assert watch.errors == []
    assert watch.strangers == []


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical; run beside the page's policy, which forbids foreign scripts."""
    assert AXE.exists(), "axe-core is missing: run make axe, which takes it from npm."
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text()})
    found = session.send(
        "Runtime.evaluate",
        {
            "expression": f"axe.run(document, {{runOnly: {json.dumps(TAGS)}}}).then(r => JSON.stringify(r.violations))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    return [
        f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:3]}"
        for one in json.loads(found["result"]["value"])
        if one["impact"] in ("serious", "critical")
    ]


def test_live_signal_and_events_reach_the_picture(daemon: Daemon, page: Page) -> None:
    page.goto(f"{daemon.url}#now")
    until(page, "window.emgFrames !== undefined && window.emgFrames.frames > 60")
    until(
        page,
        """(() => {
            const pixels = document.querySelector("canvas.trace").getContext("2d").getImageData(0, 0, 600, 200).data;
            return pixels.some((value, at) => value !== pixels[at % 4]);
        })()""",
    )
    newest = page.locator("ol.list li a").first
    told = newest.get_attribute("href")
    assert told is not None
    expect(newest).not_to_have_attribute("href", told, timeout=60_000)


def test_a_mark_by_click_is_in_the_log_and_in_the_recording(daemon: Daemon, page: Page) -> None:
    page.goto(f"{daemon.url}#now")
    before = len([m for m in ask(daemon, "/marks")["marks"] if m["kind"] == "felt"])
    page.get_by_role("button", name="I felt a twitch").click()
    expect(page.locator("#say")).to_contain_text("Marked at")
    assert len([m for m in ask(daemon, "/marks")["marks"] if m["kind"] == "felt"]) == before + 1
    recorded = b"".join(path.read_bytes() for path in sorted(daemon.data.rglob("*.emgw")))
    assert recorded.count(b"felt") > before


def test_a_diary_entry_is_kept_put_right_and_taken_out(daemon: Daemon, page: Page) -> None:
    page.goto(f"{daemon.url}#diary")
    page.get_by_role("button", name="Coffee").click()
    expect(page.locator("#say")).to_contain_text("Coffee kept")
    (entry,) = (e for e in ask(daemon, "/diary")["diary"] if e["kind"] == "coffee")
    item = page.locator("li", has_text="Coffee")
    item.get_by_role("button", name="Change").click()
    page.get_by_label("How much").fill("2")
    page.get_by_label("Note").fill("espresso")
    at = page.get_by_label("When")
    hour = at.input_value()
    at.fill(hour[:11] + "00:05")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator("li", has_text="espresso")).to_contain_text("00:05")
    (changed,) = (e for e in ask(daemon, "/diary")["diary"] if e["id"] == entry["id"])
    assert (changed["value"], changed["note"]) == (2.0, "espresso")
    assert changed["utc_ms"] < entry["utc_ms"]
    page.locator("li", has_text="espresso").get_by_role("button", name="Change").click()
    page.get_by_role("button", name="Take out").click()
    expect(page.locator("#say")).to_contain_text("Taken out")
    assert [e for e in ask(daemon, "/diary")["diary"] if e["kind"] == "coffee"] == []
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("li", has_text="espresso")).to_be_visible()


def test_an_event_can_be_looked_at_and_corrected(daemon: Daemon, page: Page, any_event: dict[str, Any]) -> None:
    page.goto(f"{daemon.url}#event/{any_event['id']}")
    expect(page.get_by_text("It lasted")).to_be_visible()
    expect(page.locator(".plot canvas")).to_be_visible()
    page.get_by_role("button", name="I moved on purpose").click()
    expect(page.get_by_role("button", name="I moved on purpose")).to_have_attribute("aria-pressed", "true")
    (told,) = (e for e in events(daemon) if e["id"] == any_event["id"])
    assert (told["label"], told["class"]) == ("voluntary", any_event["class"])
    page.get_by_role("button", name="I moved on purpose").click()
    expect(page.get_by_role("button", name="I moved on purpose")).to_have_attribute("aria-pressed", "false")
    with page.expect_request(re.compile("/signal")) as asked:
        page.get_by_role("button", name="Wider").click()
    from_s = re.search(r"from_s=([\d.]+)", asked.value.url)
    assert from_s is not None
    assert float(from_s[1]) < any_event["onset_s"] - 0.4


def test_calibration_guides_from_rest_on(daemon: Daemon, page: Page) -> None:
    page.goto(f"{daemon.url}#calibrate")
    page.get_by_role("button", name=re.compile("Begin|Once more")).click()
    expect(page.get_by_role("heading", name="Rest")).to_be_visible()
    expect(page.get_by_text("keep still")).to_be_visible()


def test_a_recording_opens_without_a_board(
    daemon: Daemon, chromium: Browser, any_event: dict[str, Any], tmp_path: Path
) -> None:
    """All of it is drawn, its events lead to their view, and the way back is there."""
    viewer = Daemon(tmp_path, shown=daemon.data / "sessions" / any_event["recording_id"])
    viewer.start()
    try:
        context = chromium.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        page, watch = context.new_page(), Watch(viewer.url)
        watch.on(page)
        page.goto(f"{viewer.url}#now")
        expect(page.get_by_role("heading", name="Recording", exact=True)).to_be_visible()
        expect(page.locator(".plot canvas")).to_be_visible()
        page.screenshot(path=SCREENSHOTS / "recording-light-desktop.png")
        assert faults(page) == []
        page.get_by_role("button", name="Closer").click()
        page.locator("ol.list a").first.click()
        expect(page.get_by_text("Why this class")).to_be_visible()
        page.get_by_role("link", name="Recording").click()
        expect(page.get_by_role("heading", name="Recording", exact=True)).to_be_visible()
        context.close()
        assert watch.errors == []
        assert watch.strangers == []
    finally:
        viewer.end()


def test_counts_can_be_hidden(daemon: Daemon, page: Page) -> None:
    page.goto(f"{daemon.url}#more")
    page.get_by_label("Hide counts").check()
    page.goto(f"{daemon.url}#today")
    expect(page.get_by_text("Counts are hidden")).to_be_visible()
    expect(page.get_by_text("Twitches per hour", exact=True)).to_have_count(0)


def test_the_page_comes_back_after_the_daemon(tmp_path: Path, chromium: Browser) -> None:
    daemon = Daemon(tmp_path / "data")
    daemon.start()
    page = chromium.new_page()
    try:
        page.goto(f"{daemon.url}#now")
        expect(page.locator("#state")).to_contain_text("Worn and good", timeout=20_000)
        page.goto(f"{daemon.url}#diary")
        page.get_by_role("button", name="Water").click()
        expect(page.locator("#say")).to_contain_text("Water kept")
        daemon.end(signal.SIGKILL)
        expect(page.locator("#state")).to_contain_text("does not answer")
        daemon.start()
        expect(page.locator("#state")).to_contain_text("Worn and good", timeout=30_000)
        expect(page.locator("li", has_text="Water")).to_be_visible()
        assert [e["kind"] for e in ask(daemon, "/diary")["diary"]] == ["water"]
    finally:
        page.close()
        daemon.end()


def test_keys_switch_the_views(daemon: Daemon, page: Page) -> None:
    page.goto(f"{daemon.url}#now")
    for key, heading in (("2", "Today"), ("3", "Diary"), ("5", "More"), ("1", "Now")):
        page.keyboard.press(key)
        expect(page.get_by_role("heading", name=heading, exact=True, level=2)).to_be_visible()


def test_nothing_moves_for_who_wants_no_motion(daemon: Daemon, chromium: Browser) -> None:
    context: BrowserContext = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{daemon.url}#more")
    expect(page.get_by_role("heading", name="More", exact=True)).to_be_visible()
    moving = (
        "[...document.querySelectorAll('*')].filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"
    )
    assert page.evaluate(moving) == 0
    context.close()
