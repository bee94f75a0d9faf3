ALTER TABLE diary ADD COLUMN told_utc_ms INTEGER; -- when it was told; NULL: by an earlier version

-- How a spasm felt.
CREATE TABLE rating (
    event INTEGER PRIMARY KEY REFERENCES event (id),
    pain INTEGER CHECK (pain BETWEEN 0 AND 10),
    note TEXT,
    told_utc_ms INTEGER NOT NULL
) STRICT;

-- The safety text that was read and acknowledged.
CREATE TABLE acknowledgement (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL,
    utc_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX label_event ON label (event);
