-- The schema of a taskstore file, version 1: what a new file is given.
--
-- Times are INTEGER nanoseconds since 1970-01-01T00:00:00Z, and their columns end in _ns.
-- A NULL means "not so": no outcome yet, not dismissed, not deleted.
-- The constraints hold for every writer of the file, the sqlite3 shell included.

-- What a task relates to. A deleted one keeps its row and its last name for the tasks it had.
CREATE TABLE configuration (
    id         INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    name       TEXT    NOT NULL CHECK (name <> ''),
    deleted_ns INTEGER
) STRICT;

-- Something a user started.
CREATE TABLE task (
    id               INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    configuration_id INTEGER REFERENCES configuration (id),
    title            TEXT    NOT NULL,
    performed_by     TEXT    NOT NULL, -- the user who started it; '' if nobody was named
    outcome          INTEGER,          -- 1 finished, 2 failed, 3 interrupted; NULL while in progress
    started_ns       INTEGER NOT NULL,
    updated_ns       INTEGER NOT NULL, -- never goes back, whatever the clock does
    finished_ns      INTEGER,          -- when it ended, whatever the outcome
    dismissed_by     TEXT,             -- who has put it away
    dismissed_ns     INTEGER,
    progress_done    INTEGER,          -- in units of the task's own
    progress_total   INTEGER,          -- NULL if not known
    progress_phase   TEXT,
    message_count    INTEGER NOT NULL DEFAULT 0, -- also the seq of the newest message

    CHECK (outcome IN (1, 2, 3)),
    CHECK ((outcome IS NULL) = (finished_ns IS NULL)),
    CHECK (updated_ns >= started_ns),
    CHECK (finished_ns BETWEEN started_ns AND updated_ns),
    CHECK ((dismissed_ns IS NULL) = (dismissed_by IS NULL)),
    CHECK (dismissed_ns IS NULL OR outcome IS NOT NULL),
    CHECK (dismissed_by <> ''),
    CHECK (progress_done >= 0 AND progress_total >= 0),
    CHECK (progress_done IS NOT NULL OR (progress_total IS NULL AND progress_phase IS NULL)),
    CHECK (message_count >= 0)
) STRICT;

-- Lists of visible tasks cost the same however many have been dismissed, and lists of dismissed ones likewise.
CREATE INDEX task_visible ON task (id) WHERE dismissed_ns IS NULL;
CREATE INDEX task_dismissed ON task (id) WHERE dismissed_ns IS NOT NULL;
CREATE INDEX task_visible_by_configuration ON task (configuration_id, id)
    WHERE dismissed_ns IS NULL AND configuration_id IS NOT NULL;
CREATE INDEX task_dismissed_by_configuration ON task (configuration_id, id)
    WHERE dismissed_ns IS NOT NULL AND configuration_id IS NOT NULL;

-- What a task said while it was in progress, in the order of seq, which counts from 1 without a gap.
CREATE TABLE message (
    task_id INTEGER NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL CHECK (seq > 0),
    time_ns INTEGER NOT NULL,
    level   INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5), -- 1 trace, 2 debug, 3 info, 4 warn, 5 error
    text    TEXT    NOT NULL,
    PRIMARY KEY (task_id, seq)
) STRICT, WITHOUT ROWID;
