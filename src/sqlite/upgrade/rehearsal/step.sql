-- What cannot be altered in place is built anew under the new schema, and the rows are carried over.
ALTER TABLE task RENAME TO old_task;
ALTER TABLE configuration RENAME TO old_configuration;
DROP INDEX task_by_configuration;
