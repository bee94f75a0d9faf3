-- Seconds count from the first sample of the recording. `utc_ms` is the wall clock that the device clock's fit gave,
-- `utc_offset_s` local time minus UTC then; both are NULL where the recording carries no clock marks.
PRAGMA application_id = 1162692436; -- "EMGT"

-- One run of the detector over one recording.
CREATE TABLE session (
    id INTEGER PRIMARY KEY,
    recording_id TEXT NOT NULL,
    settings_digest TEXT NOT NULL,
    software TEXT NOT NULL, -- version that detected
    path TEXT, -- of the recording; relative to the log's folder where it lies inside
    settings TEXT NOT NULL, -- JSON
    worn TEXT NOT NULL, -- JSON: muscle, side, placement per channel
    device TEXT NOT NULL,
    zone TEXT, -- IANA name
    rate_Hz REAL NOT NULL,
    channels INTEGER NOT NULL,
    uV_per_count REAL, -- NULL: gain unknown
    started_utc_ms INTEGER,
    utc_offset_s INTEGER,
    duration_s REAL NOT NULL DEFAULT 0, -- gaps included
    analysable_s TEXT NOT NULL DEFAULT '[]', -- JSON: one number a channel
    scans_seen INTEGER NOT NULL DEFAULT 0,
    scans_lost INTEGER NOT NULL DEFAULT 0,
    frames_rejected INTEGER NOT NULL DEFAULT 0,
    clock_ppm REAL,
    clock_ppm_uncertainty REAL,
    state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed', 'crashed')),
    UNIQUE (recording_id, settings_digest, software)
) STRICT;

CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (id),
    channel INTEGER NOT NULL,
    number INTEGER NOT NULL,
    class TEXT NOT NULL CHECK (class IN ('twitch', 'contraction', 'spasm')),
    onset_s REAL NOT NULL,
    offset_s REAL, -- NULL: an announced spasm that goes on
    duration_ms REAL,
    peak REAL, -- in uV, or in counts where in_uV is 0
    rms REAL,
    snr_dB REAL,
    in_uV INTEGER NOT NULL,
    on_tone INTEGER NOT NULL DEFAULT 0,
    truncated INTEGER NOT NULL DEFAULT 0,
    crash_closed INTEGER NOT NULL DEFAULT 0, -- the program died during it: offset_s is only the last time known
    decided_sample INTEGER NOT NULL,
    settings_digest TEXT NOT NULL,
    utc_ms INTEGER,
    utc_offset_s INTEGER,
    UNIQUE (session, channel, number)
) STRICT;
CREATE INDEX event_utc ON event (utc_ms);
CREATE INDEX event_open ON event (session) WHERE offset_s IS NULL;

-- Time that is not analysable, and zero-length remarks on the host's clock.
CREATE TABLE interval (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (id),
    kind TEXT NOT NULL,
    channel INTEGER, -- NULL: all
    onset_s REAL NOT NULL,
    offset_s REAL NOT NULL,
    cause TEXT NOT NULL,
    decided_sample INTEGER NOT NULL,
    utc_ms INTEGER,
    utc_offset_s INTEGER
) STRICT;
CREATE UNIQUE INDEX interval_once ON interval (session, kind, ifnull(channel, -1), onset_s, offset_s, cause);
CREATE INDEX interval_utc ON interval (utc_ms);

CREATE TABLE mark (
    id INTEGER PRIMARY KEY,
    session INTEGER REFERENCES session (id), -- NULL: made while nothing was recorded
    kind TEXT NOT NULL,
    channel INTEGER, -- NULL: all
    at_s REAL, -- NULL without a session
    source TEXT NOT NULL CHECK (source IN ('board', 'host')),
    detail TEXT NOT NULL, -- JSON
    decided_sample INTEGER,
    utc_ms INTEGER,
    utc_offset_s INTEGER
) STRICT;
CREATE UNIQUE INDEX mark_once ON mark (session, kind, ifnull(channel, -1), at_s, source, detail)
WHERE session IS NOT NULL;
CREATE INDEX mark_utc ON mark (utc_ms);

-- What the wearer tells of the day.
CREATE TABLE diary (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, -- caffeine, sleep, exercise, stress, ...
    value REAL,
    unit TEXT,
    note TEXT,
    utc_ms INTEGER NOT NULL, -- of what is told, not of the telling
    utc_offset_s INTEGER NOT NULL,
    zone TEXT
) STRICT;
CREATE INDEX diary_utc ON diary (utc_ms);

-- The wearer's word on a stretch of signal: beside the detector's, never over it.
CREATE TABLE label (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session (id),
    event INTEGER REFERENCES event (id), -- NULL: the detector missed it
    channel INTEGER, -- NULL: all
    onset_s REAL NOT NULL,
    offset_s REAL NOT NULL,
    class TEXT NOT NULL,
    note TEXT,
    made_utc_ms INTEGER NOT NULL
) STRICT;
