"""Laws of the report: its numbers are the log's, it fits its pages, and what cannot be told leaves no file."""

from __future__ import annotations

import datetime
import re
import shutil
import sqlite3
import sys
from collections import Counter, defaultdict
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pypdfium2
import pytest

from emgtwitch.app.cli import main
from emgtwitch.app.kernels import prepare_kernels
from emgtwitch.app.report.worn import Days
from emgtwitch.store.folders import LOG_NAME
from emgtwitch.store.log_reader import LogReader
from tests.app.month import FIRST, ZONE, write_month

pytest.importorskip("matplotlib")
prepare_kernels()
from emgtwitch.app.report import examples, facts  # noqa: E402  matplotlib and numba first

pytestmark = pytest.mark.slow
LAST = FIRST + datetime.timedelta(days=27)
MUSCLE = "left gastrocnemius"


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    write_month(folder)
    return folder


@pytest.fixture(scope="module")
def told(month: Path) -> facts.Facts:
    with LogReader(month / LOG_NAME) as log:
        return facts.read(log, Days(FIRST, LAST, ZoneInfo(ZONE)), None)


@pytest.fixture(scope="module")
def pdf(month: Path) -> Path:
    return written(month, "doctor.pdf")


def written(month: Path, name: str, *options: str) -> Path:
    out = month / name
    assert main(["report", "--data", str(month), "-o", str(out), *options]) == 0
    return out


def text_of(path: Path) -> list[str]:
    """The lines of each page."""
    pages = [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(path)]
    return [" ".join(page.split()) for page in pages]


class Recount:
    """The month once more, from the tables alone: by counting how many losses are open, on the rows' own clocks."""

    def __init__(self, month: Path) -> None:
        db = sqlite3.connect(month / LOG_NAME)
        place = "json_extract(worn, '$[0].side') || ' ' || json_extract(worn, '$[0].muscle')"
        sessions = db.execute(
            f"SELECT id, started_utc_ms, duration_s FROM session WHERE {place} = ?", (MUSCLE,)
        ).fetchall()
        self.clear_h = self.recorded_h = 0.0
        self.clear_h_of_day: dict[datetime.date, float] = defaultdict(float)
        for session, started_ms, duration_s in sessions:
            steps: list[tuple[float, int]] = [(0.0, 0), (duration_s, 0)]
            for onset_s, offset_s in db.execute("SELECT onset_s, offset_s FROM interval WHERE session = ?", (session,)):
                steps += [(onset_s, 1), (offset_s, -1)]
            open_, before_s = 0, 0.0
            for at_s, step in sorted(steps):
                if not open_:
                    self._clear(started_ms, before_s, at_s)
                open_, before_s = open_ + step, at_s
            self.recorded_h += duration_s / 3600
        last = "(SELECT class FROM label WHERE label.event = event.id ORDER BY id DESC LIMIT 1)"
        rows = db.execute(
            f"SELECT event.class, {last}, event.utc_ms + 1000 * event.utc_offset_s, duration_ms FROM event "
            f"JOIN session ON session.id = event.session WHERE {place} = ?",
            (MUSCLE,),
        ).fetchall()
        self.events = [(said or name, *rest) for name, said, *rest in rows if said not in ("voluntary", "artefact")]
        self.renamed = sum(said == "twitch" for _, said, *_ in rows)

    def _clear(self, started_ms: int, from_s: float, to_s: float) -> None:
        """Split at midnight, which is a whole second."""
        self.clear_h += (to_s - from_s) / 3600
        zone = ZoneInfo(ZONE)
        while to_s > from_s:
            at = datetime.datetime.fromtimestamp(started_ms / 1000 + from_s, zone)
            midnight = datetime.datetime.combine(at.date() + datetime.timedelta(days=1), datetime.time(), zone)
            until_s = min(to_s, midnight.timestamp() - started_ms / 1000)
            self.clear_h_of_day[at.date()] += (until_s - from_s) / 3600
            from_s = until_s


@pytest.fixture(scope="module")
def recount(month: Path) -> Recount:
    return Recount(month)


def test_exposure_is_the_logs(told: facts.Facts, recount: Recount) -> None:
    assert told.site == MUSCLE
    assert told.hours == pytest.approx(recount.clear_h, abs=1e-6)
    assert told.recorded_h.sum() == pytest.approx(recount.recorded_h, abs=1e-6)
    assert told.recorded_h.sum() == pytest.approx(told.hours + sum(told.lost_h().values()), abs=1e-6)
    for number, day in enumerate(told.days.all):
        assert told.analysable_h[number].sum() == pytest.approx(recount.clear_h_of_day[day], abs=1e-6)


def test_counts_by_day_and_hour_are_the_logs(told: facts.Facts, recount: Recount) -> None:
    cells: Counter[tuple[str, int, int]] = Counter()
    for name, shown_ms, _ in recount.events:
        shown = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=shown_ms)
        cells[name, (shown.date() - FIRST).days, shown.hour] += 1
    for name in ("twitch", "contraction", "spasm"):
        mine = {(name, day, hour): n for (day, hour), n in np.ndenumerate(told.counts[name]) if n}
        assert mine == {key: n for key, n in cells.items() if key[0] == name}
    assert np.all(told.counts["twitch"][told.recorded_h == 0] == 0)


def test_the_printed_numbers_are_the_logs(pdf: Path, recount: Recount) -> None:
    first, second = text_of(pdf)
    for name, word in (("twitch", "twitches"), ("contraction", "contractions"), ("spasm", "spasms")):
        count = sum(event[0] == name for event in recount.events)
        rate = count / recount.clear_h
        assert f"{word} {count} {rate:.1f} " in first or f"{word} {count} {rate:.2f} " in first
    assert f"analysable {recount.clear_h:.1f} {100 * recount.clear_h / recount.recorded_h:.1f} %" in first
    assert f"recorded {recount.recorded_h:.1f} 100.0 %" in first
    assert "in these days 671" in first  # summer time began
    rejected = re.search(r"Left out: (\d+) events that the wearer labelled: (\d+) artefact and (\d+) voluntary", first)
    assert rejected is not None
    assert f"The wearer gave {recount.renamed} events another class, which counts here." in first
    assert int(rejected[1]) == int(rejected[2]) + int(rejected[3]) > 50
    longest = max(duration_ms for name, _, duration_ms in recount.events if name == "spasm")
    assert f"{longest / 1000:.0f} s" in second


def test_trains_and_pauses_are_those_of_the_twitches(told: facts.Facts) -> None:
    twitches = told.of("twitch")
    gaps = [b["onset_s"] - a["onset_s"] for a, b in pairwise(twitches) if a["session"] == b["session"]]
    assert sum(gap < 1.0 for gap in told.pauses_s) <= sum(gap < 1.0 for gap in gaps)
    assert sum(gap < 1.0 for gap in gaps) - sum(gap < 1.0 for gap in told.pauses_s) < 0.02 * len(gaps)
    assert all(b["onset_s"] - a["onset_s"] < 1.0 for train in told.trains for a, b in pairwise(train))
    assert min(map(len, told.trains)) == 3


def test_a_pause_over_lost_signal_is_none(told: facts.Facts) -> None:
    longest_clear_s = max(to - from_ for track in told.tracks for from_, to in track.clear) / 1000
    assert max(told.pauses_s) < longest_clear_s


def test_the_doctors_report_is_two_sheets_of_a4_in_greys(pdf: Path) -> None:
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 2
    for number, page in enumerate(document, start=1):
        assert page.get_size() == pytest.approx((595.3, 841.9), abs=0.2)
        pixels = page.render(scale=1.0).to_numpy()
        assert np.ptp(pixels, axis=2).max() == 0
        text = " ".join(page.get_textpage().get_text_bounded().split())
        assert f"page {number} of 2" in text
        assert "Not a medical device." in text
        assert "9 March to 5 April 2026" in text


def test_the_same_log_gives_the_same_file(month: Path, pdf: Path) -> None:
    assert written(month, "again.pdf").read_bytes() == pdf.read_bytes()
    assert written(month, "again.html").read_bytes() == written(month, "once more.html").read_bytes()


def test_each_example_is_as_high_as_the_log_says(told: facts.Facts) -> None:
    shown = examples.examples(told)
    assert [example.name for example in shown] == ["twitch", "train", "spasm"]
    peaks = {round(e["onset_s"], 6): e["peak"] for e in told.events}
    for example in shown:
        assert example.columns is not None
        seen = np.nanmax(np.maximum(-example.columns.filtered_min, example.columns.filtered_max))
        assert seen >= 0.9 * peaks[round(example.onset_s, 6)]
    lonely = shown[0]
    assert lonely.columns is not None
    around = lonely.columns.from_s + lonely.columns.step_s * np.arange(len(lonely.columns.filtered_max))
    inside = (around > lonely.onset_s - 0.01) & (around < lonely.offset_s + 0.01)
    assert np.nanmax(lonely.columns.filtered_max) == np.nanmax(lonely.columns.filtered_max[inside])


def test_without_recordings_the_examples_say_so(month: Path, tmp_path: Path) -> None:
    shutil.copyfile(month / LOG_NAME, tmp_path / LOG_NAME)
    assert "No recording of a twitch is at hand." in text_of(written(tmp_path, "bare.pdf"))[1]


class Seen(HTMLParser):
    """What a browser would fetch, and what it would show."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [
            v or "" for k, v in attrs if k in ("src", "href", "xlink:href") and not (v or "").startswith("#")
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_html_holds_everything_and_asks_for_nothing(month: Path, pdf: Path) -> None:
    source = written(month, "doctor.html").read_text()
    seen = Seen()
    seen.feed(source)
    assert seen.links == []
    assert not re.search(r"url\((?!#)|@import|<script", source)
    assert seen.tags["svg"] == 7
    text = " ".join(seen.text.split())
    first = text_of(pdf)[0]
    for found in re.findall(r"[0-9.]+ to [0-9.]+ (?:[0-9.]+ m?s)", first):
        assert found.split(" to ")[0] in text
    assert "How it was measured." in text


def test_the_week_is_one_sheet_in_plain_words(month: Path, recount: Recount) -> None:
    (text,) = text_of(written(month, "week.pdf", "--week"))
    hours = sum(recount.clear_h_of_day[LAST - datetime.timedelta(days=n)] for n in range(7))
    assert f"You had {hours:.0f} hours of good signal on 7 days." in text
    begin = (LAST - datetime.timedelta(days=6) - datetime.date(1970, 1, 1)).days * 86_400_000
    count = sum(name == "twitch" and shown_ms >= begin for name, shown_ms, _ in recount.events)
    assert f"In them came {count} twitches: about {count / hours:.0f} an hour" in text
    assert "page 1 of 1" in text
    assert "dispersion" not in text


@pytest.mark.parametrize("muscle", ["tibialis anterior", "Left  Tibialis anterior"])
def test_a_muscle_is_chosen_by_name(month: Path, muscle: str) -> None:
    text = text_of(written(month, "other.pdf", "--muscle", muscle))[0]
    assert "Left tibialis anterior, 9 March to 5 April 2026" in text
    assert re.search(r"The log also holds: left gastrocnemius \(\d+ h\)", text)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["-o", "a.docx"], 2, "ends in neither .pdf nor .html"),
        (["-o", "a.pdf", "--muscle", "calf"], 2, "'calf'; in these days the log holds: left gastrocnemius, left tib"),
        (["-o", "a.pdf", "--from", "2025-01-01", "--to", "2025-01-31"], 2, "Nothing was recorded from 2025-01-01"),
        (["-o", "a.pdf", "--from", "2025-01-01", "--to", "2025-01-31"], 2, "The log holds 2026-03-09 to 2026-04-05"),
        (["-o", "a.pdf", "--from", "2026-04-01", "--to", "2026-03-01"], 2, "are 0 days; a report takes 1 to 92"),
        (["-o", "a.pdf", "--from", "2025-04-01"], 2, "a report takes 1 to 92. Change --from or --to."),
        (["-o", "a.pdf", "--week", "--from", "2026-03-09", "--to", "2026-04-01"], 2, "a report takes 1 to 7"),
        (["-o", "a.pdf", "--from", "2026-03-09T12:00"], 2, "and takes whole days"),
        (["-o", "a.pdf", "--from", "soon"], 2, "'soon' is no time"),
        (["-o", "none/a.pdf"], 73, "cannot be written: No such file or directory"),
        (["-o", "a.pdf", "--data", "nowhere"], 65, "There is no log at"),
        (["-o", "a.pdf", "--data", "half"], 65, "is damaged"),
    ],
)
def test_a_bad_request_is_told_and_leaves_nothing(
    month: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    whole = (month / LOG_NAME).read_bytes()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / LOG_NAME).write_bytes(whole[: len(whole) // 2])
    monkeypatch.setenv("EMGTWITCH_DATA", str(month))
    assert main(["report", *options]) == code
    errors = capsys.readouterr().err
    assert said in errors
    assert "Traceback" not in errors
    assert [path.name for path in tmp_path.iterdir()] == ["half"]


def test_a_report_that_fails_leaves_the_one_before(month: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.pdf"
    out.write_bytes(b"before")
    assert main(["report", "--data", str(month), "-o", str(out), "--muscle", "none"]) == 2
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]


def test_without_matplotlib_it_says_what_to_install(
    month: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["report", "--data", str(month), "-o", str(month / "no.pdf")]) == 2
    assert "pip install 'emgtwitch[report]'" in capsys.readouterr().err


def test_health_data_is_for_its_owner(pdf: Path) -> None:
    assert pdf.stat().st_mode & 0o777 == 0o600


WORDS = ("disease", "syndrome", "patient", "neuron", "normal", "healthy", "sclerosis", "benign", "caused by", "because")


@pytest.mark.parametrize("options", [[], ["--week"]])
def test_nothing_is_diagnosed_or_compared(month: Path, options: list[str]) -> None:
    text = " ".join(text_of(written(month, "words.pdf", *options))).casefold()
    assert "not a medical device" in text
    assert "no diagnosis" in text
    assert "see a doctor" in text
    assert "nhs.uk" in text
    assert [word for word in WORDS if word in text] == []


def test_a_single_day_is_told_without_an_interval(month: Path) -> None:
    first = text_of(written(month, "day.pdf", "--from", "2026-03-23", "--to", "2026-03-23"))[0]
    assert "Left gastrocnemius, 23 March 2026" in first
    assert re.search(r"twitches \d+ [0-9.]+ too little", first)
    assert "nan" not in first
