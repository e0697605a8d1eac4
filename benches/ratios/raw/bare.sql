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
    progress_phase   TEXT,
    level_reached    INTEGER,
    dismissed        INTEGER GENERATED ALWAYS AS (dismissed_ns IS NOT NULL) VIRTUAL
);

CREATE INDEX task_listed ON task (dismissed);
CREATE INDEX task_of_configuration ON task (configuration_id, dismissed) WHERE configuration_id IS NOT NULL;
CREATE INDEX task_in_progress ON task (started_ns) WHERE outcome IS NULL;
CREATE INDEX task_unsuccessful ON task (outcome, dismissed) WHERE outcome > 1;
CREATE INDEX task_with_warnings ON task (dismissed) WHERE level_reached IS NOT NULL;
CREATE INDEX task_ended ON task (dismissed, updated_ns) WHERE outcome IS NOT NULL;

CREATE TABLE message (
    task_id INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    level   INTEGER NOT NULL,
    text    TEXT    NOT NULL,
    PRIMARY KEY (task_id, seq)
) WITHOUT ROWID;
