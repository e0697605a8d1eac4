-- The schema of a taskstore file, version 1: what a new file is given.
--
-- Times are INTEGER nanoseconds since 1970-01-01T00:00:00Z, and their columns end in _ns.
-- A NULL means "not so": no outcome yet, not dismissed, not deleted.
-- A key is what a caller names a row by, so that a call made again writes no second one; NULL if it was not named.
-- The constraints hold for every writer of the file, the sqlite3 shell included.

-- What a task relates to. A deleted one keeps its row and its last name for the tasks it had.
CREATE TABLE configuration (
    id         INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    name       TEXT    NOT NULL CHECK (name <> ''),
    deleted_ns INTEGER
) STRICT;

-- An open store that answers for the end of what it has started, until that has ended or the store is closed. It holds a lock
-- on the file beside the database that ends in "-owner-" and the name: who can take that lock knows that the owner is dead.
-- What it owns has its id, by no foreign key: for that alone the end of a task would cost a third more.
CREATE TABLE owner (
    id         INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    name       TEXT    NOT NULL UNIQUE CHECK (length(name) = 32 AND name NOT GLOB '*[^0-9a-f]*'),
    process_id INTEGER NOT NULL CHECK (process_id > 0),
    since_ns   INTEGER NOT NULL
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
    level_reached    INTEGER,          -- the highest level of its messages: 4 warn, 5 error; NULL if none is that high
    key              TEXT CHECK (key <> ''), -- unique among the tasks
    owner            INTEGER,          -- who answers for its end; NULL for nobody, and once it has ended
    dismissed        INTEGER GENERATED ALWAYS AS (dismissed_ns IS NOT NULL) VIRTUAL,

    CHECK (outcome BETWEEN 1 AND 3), -- IN would build a table at every write
    CHECK ((outcome IS NULL) = (finished_ns IS NULL)),
    CHECK (updated_ns >= started_ns),
    CHECK (finished_ns BETWEEN started_ns AND updated_ns),
    CHECK ((dismissed_ns IS NULL) = (dismissed_by IS NULL)),
    CHECK (dismissed_ns IS NULL OR outcome IS NOT NULL),
    CHECK (dismissed_by <> ''),
    CHECK (progress_done >= 0 AND progress_total >= 0),
    CHECK (progress_done IS NOT NULL OR (progress_total IS NULL AND progress_phase IS NULL)),
    CHECK (message_count >= 0),
    CHECK (level_reached BETWEEN 4 AND 5),
    CHECK (owner IS NULL OR outcome IS NULL)
) STRICT;

-- Lists go by the id, which every index ends with, or by a time. All but the first are of few tasks, or are written once
-- in a task's life, when it ends: a message or progress changes none of them, unless it is the first warning or error.
CREATE INDEX task_listed ON task (dismissed);
CREATE INDEX task_of_configuration ON task (configuration_id, dismissed) WHERE configuration_id IS NOT NULL;
CREATE INDEX task_in_progress ON task (started_ns) WHERE outcome IS NULL;
CREATE INDEX task_unsuccessful ON task (outcome, dismissed) WHERE outcome > 1;
CREATE INDEX task_with_warnings ON task (dismissed) WHERE level_reached IS NOT NULL;
CREATE INDEX task_ended ON task (dismissed, updated_ns) WHERE outcome IS NOT NULL;
-- What has ended, and what nobody answers for, is not in the indexes of owners.
CREATE INDEX task_owned ON task (owner) WHERE owner IS NOT NULL;
-- Rows without a key, which most are, are not in the indexes of keys.
CREATE UNIQUE INDEX task_key ON task (key) WHERE key IS NOT NULL;

-- How many tasks there are, kept in the transactions that change the tasks, so that asking costs the same at any size.
-- Another program that adds, ends, dismisses or deletes tasks has to keep it, too.
CREATE TABLE task_count (
    configuration_id      INTEGER PRIMARY KEY,        -- 0 for the tasks of none
    in_progress           INTEGER NOT NULL DEFAULT 0, -- these four are not dismissed
    finished              INTEGER NOT NULL DEFAULT 0,
    failed                INTEGER NOT NULL DEFAULT 0,
    interrupted           INTEGER NOT NULL DEFAULT 0,
    dismissed_finished    INTEGER NOT NULL DEFAULT 0,
    dismissed_failed      INTEGER NOT NULL DEFAULT 0,
    dismissed_interrupted INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What a task said while it was in progress, in the order of seq, which counts from 1 without a gap.
CREATE TABLE message (
    task_id INTEGER NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    seq     INTEGER NOT NULL CHECK (seq > 0),
    time_ns INTEGER NOT NULL,
    level   INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5), -- 1 trace, 2 debug, 3 info, 4 warn, 5 error
    text    TEXT    NOT NULL,
    key     TEXT CHECK (key <> ''), -- unique among the messages of the task
    PRIMARY KEY (task_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX message_key ON message (task_id, key) WHERE key IS NOT NULL;

-- A background job: what its runs have in common. (name, uid) is one system task, with NULL as a value of its own.
CREATE TABLE system_task (
    id            INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    uuid          BLOB    NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name          TEXT    NOT NULL CHECK (name <> ''),
    uid           TEXT,             -- tells parallel jobs of one name apart; NULL and '' differ
    uid_key       ANY     GENERATED ALWAYS AS (coalesce(uid, x'')) VIRTUAL, -- never NULL; a blob sorts behind all text
    description   TEXT    NOT NULL DEFAULT '',
    registered_ns INTEGER,          -- when it was made known before any run
    shown_run     INTEGER REFERENCES run (id) -- the last finished run, which the published API shows
) STRICT;

-- Also the order of the published list: by name, then by uid with NULL last.
CREATE UNIQUE INDEX system_task_identity ON system_task (name, uid_key);
CREATE INDEX system_task_listed ON system_task (name, uid_key)
    WHERE shown_run IS NOT NULL OR registered_ns IS NOT NULL;
-- The order that the published API's own user interface asks for.
CREATE INDEX system_task_by_name ON system_task (name, uuid);
CREATE INDEX system_task_shown_run ON system_task (shown_run) WHERE shown_run IS NOT NULL;

-- One execution of a system task. It lives until it expires.
CREATE TABLE run (
    id              INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id > 0),
    system_task_id  INTEGER NOT NULL REFERENCES system_task (id),
    status          INTEGER,          -- 1 error, 2 successful, 3 unknown, 4 warning: in the order of the words
    started_ns      INTEGER NOT NULL,
    finished_ns     INTEGER,          -- NULL while in progress
    duration_ns     INTEGER,          -- by the monotonic clock
    interrupted     INTEGER NOT NULL DEFAULT 0 CHECK (interrupted IN (0, 1)), -- cut off before it could end
    expires_after_ns INTEGER,         -- how long it is kept after its end; NULL for ever
    expires_ns      INTEGER,          -- when clean-up may delete it; NULL never, or not ended
    only_on_failure INTEGER NOT NULL CHECK (only_on_failure IN (0, 1)), -- not shown if it was successful
    event_count     INTEGER NOT NULL DEFAULT 0 CHECK (event_count >= 0), -- also the seq of the newest event
    key             TEXT CHECK (key <> ''), -- unique among the runs of the system task
    owner           INTEGER,          -- who answers for its end; NULL for nobody, and once it has ended

    CHECK (status BETWEEN 1 AND 4),
    CHECK (finished_ns >= started_ns),
    CHECK ((finished_ns IS NULL) = (duration_ns IS NULL)),
    CHECK (finished_ns IS NULL OR status IS NOT NULL),
    CHECK (duration_ns >= 0 AND expires_after_ns >= 0),
    CHECK (interrupted = 0 OR finished_ns IS NOT NULL),
    CHECK (expires_ns IS NULL OR finished_ns IS NOT NULL),
    CHECK (owner IS NULL OR finished_ns IS NULL)
) STRICT;

CREATE INDEX run_of_system_task ON run (system_task_id, id);
CREATE INDEX run_expiring ON run (expires_ns) WHERE expires_ns IS NOT NULL;
CREATE INDEX run_owned ON run (owner) WHERE owner IS NOT NULL;
CREATE UNIQUE INDEX run_key ON run (system_task_id, key) WHERE key IS NOT NULL;

-- What a run said, in the order of seq, which counts from 1 without a gap.
CREATE TABLE log_event (
    run_id     INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq        INTEGER NOT NULL CHECK (seq > 0),
    time_ns    INTEGER NOT NULL,
    level      INTEGER NOT NULL CHECK (level BETWEEN 1 AND 8),
        -- 1 critical, 2 exception, 3 error, 4 warn, 5 warning, 6 info, 7 debug, 8 notset
    logger     TEXT    NOT NULL,
    event      TEXT    NOT NULL,
    attributes TEXT    NOT NULL CHECK (attributes LIKE '{%}'), -- a JSON object, kept as it came
    key        TEXT CHECK (key <> ''), -- unique among the events of the run
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX log_event_key ON log_event (run_id, key) WHERE key IS NOT NULL;
