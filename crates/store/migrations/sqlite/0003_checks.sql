-- Turns that left the journal on purpose, because their execution was archived or set aside: positions have no
-- gaps but these, so `skep verify` can count.
INSERT INTO counter VALUES ('removed', 0);

-- Executions that lie in `archive/` and no longer in the journal.
CREATE TABLE archived(
  id TEXT PRIMARY KEY,
  local INTEGER NOT NULL UNIQUE,
  -- Relative to `archive/`.
  file TEXT NOT NULL,
  turns INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  archived_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX archived_ended_at ON archived(ended_at);

-- Executions that `skep repair` took out of the journal, or left in it, because they are damaged.
CREATE TABLE aside(execution INTEGER PRIMARY KEY, reason TEXT NOT NULL, file TEXT, at INTEGER NOT NULL) STRICT;
