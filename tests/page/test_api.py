"""Laws of the API on a finished run: what is asked for is answered from the log, what is told is kept, and no more."""

from __future__ import annotations

import datetime
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emgtwitch import __version__
from emgtwitch.app.page.desk import Desk
from emgtwitch.app.page.route import PREFIX
from emgtwitch.app.page.routes import ROWS
from emgtwitch.app.page.web import MOST_BYTES, Bucket
from emgtwitch.app.safety import SAFETY
from emgtwitch.app.status import _lines, gather
from tests.page import desks
from tests.page.desks import API, DAY, SPASM, TWITCH
from tests.store.test_log import NOON_MS


def dump(folder: Path) -> list[str]:
    db = sqlite3.connect(folder / "log.sqlite3")
    lines = list(db.iterdump())
    db.close()
    return lines


def test_events_come_with_the_detectors_word_and_the_wearers_beside_it(page: TestClient) -> None:
    assert (
        page.post(f"{API}/labels", json={"event": TWITCH, "label": "voluntary", "note": "scratched"}).status_code == 201
    )
    assert page.post(f"{API}/spasm/{SPASM}", json={"pain": 6}).json() == {"event": SPASM, "pain": 6, "note": None}
    assert page.post(f"{API}/spasm/{SPASM}", json={"note": "cold"}).json()["pain"] == 6
    found = page.get(f"{API}/events", params={"from": DAY, "to": DAY}).json()
    twitch, spasm = found["events"]
    assert (twitch["id"], twitch["class"], twitch["label"], twitch["label_note"]) == (
        *(TWITCH, "twitch", "voluntary"),
        "scratched",
    )
    assert (spasm["pain"], spasm["note"]) == (6, "cold")
    assert found["counts"] == {"twitch": 0, "contraction": 0, "spasm": 1}
    only = page.get(f"{API}/events", params={"from": DAY, "to": DAY, "class": "spasm"}).json()
    assert [e["id"] for e in only["events"]] == [SPASM]
    assert page.post(f"{API}/labels", json={"event": TWITCH, "label": "confirmed"}).status_code == 201
    again = page.get(f"{API}/events", params={"from": DAY, "to": DAY}).json()["events"][0]
    assert (again["class"], again["label"]) == ("twitch", None)


def test_settings_say_what_the_detector_is_set_to(page: TestClient) -> None:
    told = page.get(f"{API}/settings").json()
    assert (told["software"], told["worn"]) == (__version__, [{"muscle": "calf"}])
    assert set(told) == {"software", "detector", "worn", "device", "data"}


def test_the_factors_are_the_usual_ones_or_those_of_the_configuration(desk: Desk, page: TestClient) -> None:
    usual = page.get(f"{API}/factors").json()["factors"]
    assert {"kind": "coffee", "label": "Coffee", "target": "diary", "unit": "cups"} in usual
    assert usual[-1]["target"] == "mark"  # a twitch that was felt
    desk.config = {"diary": {"factors": ["coffee", "sauna"]}}
    chosen = page.get(f"{API}/factors").json()["factors"]
    assert [(one["kind"], one["label"], one["unit"]) for one in chosen] == [
        ("coffee", "Coffee", "cups"),
        ("sauna", "Sauna", None),
    ]


def test_a_calibration_that_was_kept_is_told_until_the_next(desk: Desk, page: TestClient) -> None:
    assert page.get(f"{API}/calibrate").json()["kept"] is None
    result = {"snr_dB": 40.0, "unit": "uV", "verdict": "good"}
    desk.keep(lambda log: log.mark("calibration", result | {"baseline": 3.0}, NOON_MS, 3600))
    desk.keep(lambda log: log.mark("calibration", result | {"baseline": 2.5}, NOON_MS + 40_000, 3600))
    assert page.get(f"{API}/calibrate").json()["kept"]["baseline"] == 2.5
    lines = _lines(gather(desk.folder, datetime.datetime(2024, 3, 30, 13)))
    assert "  rest      2.5 uV, firm 40 dB above it (good, 2024-03-30 13:00:40.0)" in lines


def test_only_spasms_of_the_log_are_rated(page: TestClient) -> None:
    for name, text in ((TWITCH, "is a twitch"), ("r1.0.99", "There is no event"), ("nonsense", "no event's id")):
        refused = page.post(f"{API}/spasm/{name}", json={"pain": 1})
        assert refused.status_code == 404
        assert text in refused.json()["error"]


def test_an_entry_is_told_put_right_and_taken_out(page: TestClient) -> None:
    told = page.post(f"{API}/diary", json={"kind": "coffee", "value": 2, "unit": "cups"}).json()
    assert (told["utc_ms"], told["told_utc_ms"]) == (NOON_MS + 60_000, NOON_MS + 60_000)
    earlier = {"utc_ms": NOON_MS - 3_600_000}
    right = page.patch(f"{API}/diary/{told['id']}", json=earlier).json()
    assert right == told | earlier
    assert page.get(f"{API}/diary", params={"from": DAY, "to": DAY}).json() == {"diary": [right]}
    assert page.delete(f"{API}/diary/{told['id']}").json() == right
    assert page.get(f"{API}/diary", params={"from": DAY, "to": DAY}).json() == {"diary": []}
    assert page.delete(f"{API}/diary/{told['id']}").status_code == 404


def test_what_was_answered_is_in_the_log_of_another_reader_at_once(desk: Desk, page: TestClient) -> None:
    told = page.post(f"{API}/diary", json={"kind": "water"}).json()
    with desk.log() as log:
        assert [row["id"] for row in log.diary()] == [told["id"]]


def test_an_hour_without_signal_has_no_rate_and_a_day_has_its_hours(page: TestClient) -> None:
    day = page.get(f"{API}/hours", params={"day": "2024-03-31"}).json()
    assert len(day["hours"]) == 23  # the clocks go forward in Berlin
    assert all(hour["per_hour"]["twitch"] is None for hour in day["hours"])
    before = page.get(f"{API}/hours", params={"day": DAY}).json()
    assert len(before["hours"]) == 24
    assert before["whole"]["counts"] == {"twitch": 1, "contraction": 0, "spasm": 1}
    assert before["whole"]["recorded_s"] == 20.0
    assert before["whole"]["analysable_s"] == pytest.approx((19.8 + 19.3) / 2)


def test_a_mark_without_a_board_is_in_the_log_alone(page: TestClient) -> None:
    made = page.post(f"{API}/marks", json={"kind": "felt", "note": "left"})
    assert (made.status_code, made.json()["at_s"], made.json()["kind"]) == (201, None, "felt")
    marks = page.get(f"{API}/marks", params={"from": DAY, "to": DAY}).json()["marks"]
    assert [(m["kind"], m["source"]) for m in marks] == [("button", "board"), ("felt", "host")]


def test_the_safety_text_is_acknowledged_as_it_is(page: TestClient) -> None:
    assert page.get(f"{API}/acknowledge").json() == {"text": SAFETY, "acknowledged_utc_ms": None}
    assert page.post(f"{API}/acknowledge", json={"text": "whatever"}).status_code == 409
    assert page.post(f"{API}/acknowledge", json={"text": SAFETY}).status_code == 201
    assert page.get(f"{API}/acknowledge").json()["acknowledged_utc_ms"] == NOON_MS + 60_000


def test_an_event_says_why_it_has_its_class(page: TestClient) -> None:
    told = page.get(f"{API}/event/{TWITCH}").json()
    assert told["why"][0] == "It lasted 50 ms; up to 150 ms is a twitch."
    assert told["event"]["id"] == TWITCH
    assert "error" in told["signal"]  # there is no such recording any more


BAD: list[tuple[str, str, Any, int]] = [
    ("POST", "/diary", {"kind": ""}, 400),
    ("POST", "/diary", {"kind": "a\nb"}, 400),
    ("POST", "/diary", {"kind": "coffee", "value": "two"}, 400),
    ("POST", "/diary", {"kind": "coffee", "much": 2}, 400),
    ("POST", "/diary", {"kind": "coffee", "utc_ms": -1}, 400),
    ("POST", "/diary", {"kind": "coffee", "note": "x" * MOST_BYTES}, 413),
    ("POST", "/diary", [], 400),
    ("PATCH", "/diary/1x", {}, 404),
    ("PATCH", "/diary/999999", {"kind": "tea"}, 404),
    ("DELETE", "/diary/99999999999999999999", None, 404),
    ("POST", "/labels", {"event": TWITCH, "label": "cramp"}, 400),
    ("POST", "/labels", {"event": "r1.0.x", "label": "voluntary"}, 404),
    ("POST", f"/spasm/{SPASM}", {"pain": 11}, 400),
    ("POST", "/calibrate", {"channel": 0}, 409),
    ("POST", "/calibrate/keep", None, 409),
    ("GET", "/events?from=sometime", None, 400),
    ("GET", "/events?from=2024-03-30&from=2024-03-31", None, 400),
    ("GET", "/events?until=today", None, 400),
    ("GET", "/hours?day=2024-03-30T12:00%2B01:00", None, 400),
    ("GET", "/signal?from_s=2&to_s=1", None, 400),
    ("GET", "/signal?from_s=0&to_s=1e999", None, 400),
    ("GET", "/signal?from_s=0&to_s=1&recording=none", None, 404),
    ("GET", "/event/none", None, 404),
    ("GET", "/nothing", None, 404),
    ("PUT", "/diary", None, 405),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), BAD)
def test_a_wrong_request_is_refused_with_what_to_do_and_changes_nothing(
    desk: Desk, page: TestClient, method: str, path: str, body: Any, status: int
) -> None:
    before = dump(desk.folder)
    refused = page.request(method, API + path, json=body)
    assert refused.status_code == status, refused.text
    assert set(refused.json()) == {"error", "what_to_do"}
    assert all(refused.json().values())
    assert dump(desk.folder) == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b'{"kind": "\xed\xa0\x80"}', b"[" * 9000, b'{"kind": NaN}'], ids=range(6)
)
def test_a_malformed_body_is_refused(desk: Desk, page: TestClient, content: bytes) -> None:
    before = dump(desk.folder)
    refused = page.post(f"{API}/diary", content=content, headers={"Content-Type": "application/json"})
    assert (refused.status_code, set(refused.json())) == (400, {"error", "what_to_do"})
    other = page.post(f"{API}/diary", content=b'{"kind": "tea"}', headers={"Content-Type": "text/plain"})
    assert other.status_code == 415
    assert dump(desk.folder) == before


def test_a_page_without_a_writer_changes_nothing(tmp_path: Path) -> None:
    with desks.desk(tmp_path) as desk:
        desk.write = None
        before = dump(tmp_path)
        refused = desks.client(desk).post(f"{API}/diary", json={"kind": "tea"})
        assert (refused.status_code, dump(tmp_path) == before) == (503, True)


def test_writes_are_bounded_in_rate() -> None:
    now_s = 0.0
    bucket = Bucket(2.0, 5.0, lambda: now_s)
    assert [bucket.take() for _ in range(6)] == [True] * 5 + [False]
    now_s = 1.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_the_description_is_the_table_of_routes(page: TestClient) -> None:
    told = page.get(f"{API}/openapi.json").json()
    assert told["servers"] == [{"url": PREFIX}]
    described = {(method.upper(), path) for path, methods in told["paths"].items() for method in methods}
    assert described == {(row.method, row.path) for row in ROWS}
    for row in ROWS:
        operation = told["paths"][row.path][row.method.lower()]
        assert ("requestBody" in operation) == (row.body is not None)


def test_metrics_are_prometheus_text(page: TestClient) -> None:
    answer = page.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert "emgtwitch_duration_seconds 20" in lines
    assert "emgtwitch_scans_total 123456789" in lines, "a counter is told whole"
    assert "emgtwitch_well_since_timestamp_seconds 1711800000.25" in lines
    names = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {line.partition("{")[0].split()[0] for line in lines if not line.startswith("#")} <= names
