-- What was decided, upon what, and what happened. Times are milliseconds since 1970-01-01 UTC.

-- Plans are large and hardly ever change: each is stored once.
CREATE TABLE plans (
    hash TEXT PRIMARY KEY,
    plan TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
    -- AUTOINCREMENT: a number is never given twice.
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    -- 1 when nothing changed and nothing was to be done: these leave after a while, all others stay.
    routine INTEGER NOT NULL CHECK (routine IN (0, 1)),
    plan TEXT NOT NULL REFERENCES plans (hash),
    before TEXT NOT NULL,
    input TEXT NOT NULL,
    decision TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_time ON decisions (at);
CREATE INDEX decisions_to_go ON decisions (at) WHERE routine = 1;
CREATE INDEX decisions_of_note ON decisions (sequence) WHERE routine = 0;

CREATE TRIGGER decisions_stay_as_they_are BEFORE UPDATE ON decisions
BEGIN SELECT RAISE (ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_stay BEFORE DELETE ON decisions
WHEN OLD.routine = 0 OR OLD.at > (SELECT max(at) FROM decisions) - 604800000
BEGIN SELECT RAISE (ABORT, 'decisions are append-only'); END;
CREATE TRIGGER plans_stay_as_they_are BEFORE UPDATE ON plans
BEGIN SELECT RAISE (ABORT, 'plans are append-only'); END;
CREATE TRIGGER plans_stay BEFORE DELETE ON plans
BEGIN SELECT RAISE (ABORT, 'plans are append-only'); END;

CREATE TABLE rollout_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE actions (
    sequence INTEGER NOT NULL REFERENCES decisions (sequence),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    is_done INTEGER NOT NULL DEFAULT 0 CHECK (is_done IN (0, 1)),
    PRIMARY KEY (sequence, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX actions_to_do ON actions (sequence) WHERE is_done = 0;
CREATE INDEX actions_by_kind ON actions (kind, sequence);

CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    what TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_time ON events (at);

CREATE TRIGGER events_stay_as_they_are BEFORE UPDATE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
CREATE TRIGGER events_stay BEFORE DELETE ON events
BEGIN SELECT RAISE (ABORT, 'events are append-only'); END;
