"""What SQLite and the schema find wrong in a log; changes nothing."""

from __future__ import annotations

import sqlite3

from emgtwitch.store.log_reader import LogReader
from emgtwitch.store.schema import migrations


def wrong_in(log: LogReader) -> list[str]:
    """What is damaged, in sentences; none if the log is sound. Raises UnreadableInputError."""
    out = []
    found = [str(next(iter(row.values()))) for row in log.rows("PRAGMA integrity_check(10)")]
    if found != ["ok"]:
        out.append(f"The database is damaged: {'; '.join(found)}.")
    for row in log.rows("PRAGMA foreign_key_check"):
        out.append(f"Row {row['rowid']} of table {row['table']} belongs to a {row['parent']} that is not there.")
    missing = _tables() - {row["name"] for row in log.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing:
        out.append(f"Tables are missing: {', '.join(sorted(missing))}.")
    return out


def version_of(log: LogReader) -> int:
    """The schema's version."""
    return int(log.rows("PRAGMA user_version")[0]["user_version"])


def _tables() -> set[str]:
    db = sqlite3.connect(":memory:")
    try:
        for step in migrations():
            db.executescript(step)
        return {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        db.close()
