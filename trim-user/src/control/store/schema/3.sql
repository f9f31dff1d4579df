-- Every configuration that was active: when, by whom, why, and what it says, with secrets as references.

CREATE TABLE configurations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ns INTEGER NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;

CREATE TRIGGER configurations_stay_as_they_are BEFORE UPDATE ON configurations
BEGIN SELECT RAISE (ABORT, 'configurations are append-only'); END;
CREATE TRIGGER configurations_stay BEFORE DELETE ON configurations
BEGIN SELECT RAISE (ABORT, 'configurations are append-only'); END;
