"""What the decoder's kernels share: limits, types, the state between two calls, and the rows they write."""

from __future__ import annotations

import numpy as np

from emgtwitch.wire.records import (
    MAX_FRAME,
    Board,
    Change,
    Hello,
    Import,
    ImportSamples,
    Mark,
    Note,
    Port,
    Samples,
    Session,
)

HEAD = 3
CRC = 2
MAX_ENCODED = MAX_FRAME + MAX_FRAME // 254 + 2

HELLO, SAMPLES, MARK = Hello.TYPE, Samples.TYPE, Mark.TYPE
IMPORT, IMPORT_SAMPLES = Import.TYPE, ImportSamples.TYPE
BOARD, PORT = Board.TYPE, Port.TYPE
SESSION, NOTE, CHANGE = Session.TYPE, Note.TYPE, Change.TYPE

# Why frames were rejected; the position in this tuple is the position in the counters.
REASONS = ("crc", "length", "type", "sequence", "index", "unannounced", "overlong")
R_CRC, R_LENGTH, R_TYPE, R_SEQUENCE, R_INDEX, R_UNANNOUNCED, R_OVERLONG = range(7)

# The state of a stream between two calls.
STATE = np.dtype(
    [
        ("channels", "i8"),  # 0: nothing announced yet
        ("imported", "i8"),  # 1: by an Import
        ("seq", "i8"),  # expected next
        ("index", "i8"),  # expected next, unwrapped within the epoch
        ("missing", "i8"),  # frames missed since the last samples, before frames that carry none
        ("overruns", "i8"),  # as last reported; -1: not known
        ("synced", "i8"),  # 0: take the next Samples frame as it comes
        ("device_id", "u8"),
        ("boot", "i8"),
        ("run", "i8"),
        ("reopened", "i8"),  # a Port note came since the last Hello
        ("foreign", "i8"),  # a Hello of another wire version came since the last samples
        ("pending_seq", "i8"),  # what would continue the last rejected Samples frame; -1: none
        ("pending_index", "i8"),
        ("pending_overruns", "i8"),
        ("skipping", "i8"),  # inside a frame that is longer than any may be
        ("accepted", "i8"),
        ("seen", "i8"),  # scans, over all epochs
        ("lost", "i8"),  # scans that the index says were made in between
        ("rejected", "i8", (len(REASONS),)),
    ]
)

# What the kernel found, in order: a run of scans, or a record in the payload buffer.
ITEM = np.dtype([("type", "i8"), ("seq", "i8"), ("start", "i8"), ("size", "i8"), ("index", "i8"), ("channels", "i8")])
ITEMS = 1024
