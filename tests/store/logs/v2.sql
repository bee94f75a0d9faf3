-- A log of version 2, as .dump gives it.
PRAGMA application_id = 1162692436;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE acknowledgement (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    utc_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE diary (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL, -- caffeine, sleep, exercise, stress, ...
    value REAL,
    unit TEXT,
    note TEXT,
    utc_ms INTEGER NOT NULL, -- of what is told, not of the telling
    utc_offset_s INTEGER NOT NULL,
    zone TEXT
, told_utc_ms INTEGER) STRICT;
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
INSERT INTO "event" VALUES(1,1,0,1,'twitch',1.5,1.55,50.0,40.0,12.0,9.0,1,0,0,0,1700,'digest',1711800001500,3600);
INSERT INTO "event" VALUES(2,1,0,2,'spasm',10.0,17.0,7000.0,40.0,12.0,9.0,1,0,0,0,1700,'digest',1711800010000,3600);
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
INSERT INTO "interval" VALUES(1,1,'gap',NULL,3.0,3.2,'lost',3300,1711800003000,3600);
INSERT INTO "interval" VALUES(2,1,'rail',1,4.0,4.5,'',4600,1711800004000,3600);
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
INSERT INTO "mark" VALUES(1,1,'button',NULL,5.0,'board','{}',5000,1711800005000,3600);
CREATE TABLE rating (
    event INTEGER PRIMARY KEY REFERENCES event (id),
    pain INTEGER CHECK (pain BETWEEN 0 AND 10),
    note TEXT,
    told_utc_ms INTEGER NOT NULL
) STRICT;
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
INSERT INTO "session" VALUES(1,'r1','digest','1.0','sessions/r1','{"mains_Hz": 50.0}','[{"muscle": "calf"}]','board 7','Europe/Berlin',1000.0,2,0.5,1711800000000,3600,20.0,'[19.8, 19.3]',19800,200,3,12.5,0.5,'closed');
CREATE INDEX event_utc ON event (utc_ms);
CREATE INDEX event_open ON event (session) WHERE offset_s IS NULL;
CREATE UNIQUE INDEX interval_once ON interval (session, kind, ifnull(channel, -1), onset_s, offset_s, cause);
CREATE INDEX interval_utc ON interval (utc_ms);
CREATE UNIQUE INDEX mark_once ON mark (session, kind, ifnull(channel, -1), at_s, source, detail)
WHERE session IS NOT NULL;
CREATE INDEX mark_utc ON mark (utc_ms);
CREATE INDEX diary_utc ON diary (utc_ms);
CREATE INDEX label_event ON label (event);
COMMIT;
