"""The API: one table, from which the routes and their description are both made."""

from __future__ import annotations

from emgtwitch.app.page import day_answers, log_answers, shapes, signal_answers, state_answers, told_answers
from emgtwitch.app.page.route import Row

ROWS: tuple[Row, ...] = (
    Row("GET", "/state", state_answers.now, "How the sensor is", "state, what to do, board, channels, running spasms"),
    Row(
        *("GET", "/events", log_answers.events, "Events of a stretch of time"),
        "events in order, with label, pain and note beside the detector's word; counts by class, as labelled",
        query=shapes.EventQuery,
    ),
    Row(
        *("GET", "/event/{id}", signal_answers.event, "One event", "the event, why it has its class, the signal"),
    ),
    Row("GET", "/recordings", log_answers.recordings, "What has been recorded", "recordings in order of time"),
    Row(
        *("GET", "/intervals", log_answers.intervals, "Time that could not be analysed", "intervals in order"),
        query=shapes.Range,
    ),
    Row(
        *("GET", "/hours", day_answers.hours, "The hours of a local day"),
        "counts, exposure and events per analysable hour of each hour and of the whole day, null where too little; "
        "strip: which minutes were good, unusable or not worn",
        query=shapes.Day,
    ),
    Row(
        *("GET", "/digest", day_answers.digest, "A local day in a few sentences"),
        "sentences: signal, twitches beside what was usual, the busiest hour, spasms, diary",
        query=shapes.Day,
    ),
    Row("GET", "/trains", log_answers.trains_of, "Trains of twitches", "trains in order", query=shapes.Range),
    Row(
        *("GET", "/signal", signal_answers.signal, "A stretch of signal"),
        "least and greatest value a column, raw and filtered; envelope and thresholds",
        query=shapes.SignalQuery,
    ),
    Row("GET", "/marks", log_answers.marks, "Marks", "marks in order", query=shapes.Range),
    Row(
        *("POST", "/marks", told_answers.add_mark, "Mark this moment", "the mark, stored"),
        body=shapes.NewMark,
        status=201,
    ),
    Row("GET", "/diary", told_answers.diary, "The diary", "entries in order of time", query=shapes.Range),
    Row(
        *("POST", "/diary", told_answers.add_entry, "A new diary entry", "the entry, stored"),
        body=shapes.NewEntry,
        status=201,
    ),
    Row(
        *("PATCH", "/diary/{id}", told_answers.change_entry, "Put an entry right", "the entry, stored"),
        body=shapes.ChangedEntry,
    ),
    Row("DELETE", "/diary/{id}", told_answers.remove_entry, "Take an entry out", "what it was"),
    Row(
        *("POST", "/labels", told_answers.add_label, "Say what an event was", "the label, stored"),
        body=shapes.NewLabel,
        status=201,
    ),
    Row("POST", "/spasm/{id}", told_answers.rate, "Say how a spasm felt", "pain and note", body=shapes.Rating),
    Row("GET", "/factors", told_answers.factors, "The one-tap entries", "kind, label, target (diary or mark), unit"),
    Row("GET", "/settings", state_answers.settings, "Settings in force", "detector, worn, device, software"),
    Row("GET", "/calibrate", state_answers.calibration, "Where the guided minute stands", "phase, or the result"),
    Row(
        *("POST", "/calibrate", state_answers.calibrate, "Begin the guided minute", "its first phase"),
        body=shapes.Start,
        status=201,
        refusals=(409,),
    ),
    Row(
        *("POST", "/calibrate/keep", state_answers.keep_calibration, "Keep its result", "the mark, stored"),
        status=201,
        refusals=(409,),
    ),
    Row("GET", "/acknowledge", told_answers.safety, "The safety text", "text, and when it was acknowledged"),
    Row(
        *("POST", "/acknowledge", told_answers.acknowledge, "The safety text was read", "text and when"),
        body=shapes.Read,
        status=201,
        refusals=(409,),
    ),
)
