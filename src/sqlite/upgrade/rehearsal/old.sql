-- A schema as it might have been before version 1: the fixture on which upgrading is rehearsed while nothing is released.
CREATE TABLE configuration (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, deleted_ns INTEGER) STRICT;
CREATE TABLE task (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    configuration_id INTEGER REFERENCES configuration (id),
    title TEXT NOT NULL,
    performed_by TEXT NOT NULL,
    outcome INTEGER,
    started_ns INTEGER NOT NULL,
    finished_ns INTEGER
) STRICT;
CREATE INDEX task_by_configuration ON task (configuration_id);
INSERT INTO configuration (id, name) VALUES (3, 'prod');
INSERT INTO task VALUES (7, 3, 'Backup', 'ann', 1, 100, 200), (8, NULL, 'Restore', '', NULL, 300, NULL);
