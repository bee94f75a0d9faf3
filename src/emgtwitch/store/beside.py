"""A word into the log beside a running daemon: SQLite takes two writers in turn, and this one writes a row.

The DataLock stays with the daemon, for whoever opens the log under it declares what is open to be crashed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from emgtwitch.errors import CannotWriteError
from emgtwitch.store.log_reader import PRUNED
from emgtwitch.store.schema import BUSY_S, check, migrations


def say_pruned(path: Path, sessions: Collection[int], detail: Mapping[str, Any]) -> None:
    """Mark that of these sessions only some signal is kept; the mark stands at their beginnings.

    Raises CannotWriteError, UnreadableInputError.
    """
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=BUSY_S, isolation_level=None)
    try:
        check(db, path, len(migrations()))
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        for session in sessions:
            db.execute("DELETE FROM mark WHERE session = ? AND kind = ?", (session, PRUNED))
            db.execute(
                "INSERT INTO mark (session, kind, channel, at_s, source, detail, decided_sample, utc_ms, utc_offset_s) "
                "SELECT id, ?, NULL, 0.0, 'host', ?, 0, started_utc_ms, utc_offset_s FROM session WHERE id = ?",
                (PRUNED, json.dumps(dict(detail), sort_keys=True), session),
            )
        db.execute("COMMIT")
    except sqlite3.Error as error:
        raise CannotWriteError(f"The log {path} cannot be written: {error}. Do the same again.") from None
    finally:
        db.close()
