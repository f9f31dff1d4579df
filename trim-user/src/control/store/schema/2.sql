-- What was measured: each sample for a day, sums over a minute for a week, over an hour for a month.

CREATE TABLE samples (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    level TEXT NOT NULL,
    scores TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;
CREATE INDEX samples_by_time ON samples (at);

CREATE TABLE aggregates (
    -- Length of the interval, seconds: 60 or 3600.
    seconds INTEGER NOT NULL,
    begins INTEGER NOT NULL,
    at INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    level TEXT NOT NULL,
    scores TEXT NOT NULL,
    evidence TEXT NOT NULL,
    spreads TEXT NOT NULL,
    PRIMARY KEY (seconds, begins)
) STRICT, WITHOUT ROWID;
