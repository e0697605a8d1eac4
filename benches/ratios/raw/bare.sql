-- The tables of tasks without what keeps them whole, for the question what that costs: the columns and the indexes that
-- serve reading lists are those of schema.sql. Left out are STRICT, every CHECK, the foreign keys, AUTOINCREMENT (which
-- keeps a deleted task's id from being given again), the keys of callers with their columns and indexes, and the counter
-- of messages: who writes knows the next seq.

CREATE TABLE task (
    id               INTEGER PRIMARY KEY,
    configuration_id INTEGER,
    title            TEXT    NOT NULL,
    performed_by     TEXT    NOT NULL,
    outcome          INTEGER,
    started_ns       INTEGER NOT NULL,
    updated_ns       INTEGER NOT NULL,
    finished_ns      INTEGER,
    dismissed_by     TEXT,
    dismissed_ns     INTEGER,
    progress_done    INTEGER,
    progress_total   INTEGER,
    progress_phase   TEXT
);

CREATE INDEX task_visible ON task (id) WHERE dismissed_ns IS NULL;
CREATE INDEX task_dismissed ON task (id) WHERE dismissed_ns IS NOT NULL;
CREATE INDEX task_visible_by_configuration ON task (configuration_id, id)
    WHERE dismissed_ns IS NULL AND configuration_id IS NOT NULL;
CREATE INDEX task_dismissed_by_configuration ON task (configuration_id, id)
    WHERE dismissed_ns IS NOT NULL AND configuration_id IS NOT NULL;

CREATE TABLE message (
    task_id INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    level   INTEGER NOT NULL,
    text    TEXT    NOT NULL,
    PRIMARY KEY (task_id, seq)
) WITHOUT ROWID;
