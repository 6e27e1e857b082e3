-- The order of everything: one row per turn. `id` is the position, assigned by the writer. A rowid table with a
-- growing key and one index is what the hot path can carry; do not add to it. Checksums are those of
-- `crates/store/src/checksum.rs`: 64 bits over the other columns.
CREATE TABLE journal(
  id INTEGER PRIMARY KEY, execution INTEGER, seq INTEGER, at INTEGER, events TEXT, checksum INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX journal_execution ON journal(execution, seq);

-- The list of executions. `local` is the growing number that keys the journal, `id` is public.
CREATE TABLE execution(
  local INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  workflow TEXT NOT NULL,
  workflow_path TEXT,
  version TEXT NOT NULL,
  plan_hash TEXT NOT NULL,
  definition_hash TEXT NOT NULL,
  status TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ended_at INTEGER,
  base_dir TEXT,
  waiting TEXT,
  error TEXT,
  actor TEXT NOT NULL,
  seq INTEGER NOT NULL,
  -- Over what never changes; the rest follows from the journal.
  checksum INTEGER NOT NULL
) STRICT;
-- Each index ends in the row's key, so a page of one status or one workflow comes out in order.
CREATE INDEX execution_status ON execution(status);
CREATE INDEX execution_workflow ON execution(workflow);
CREATE INDEX execution_workflow_path ON execution(workflow_path) WHERE workflow_path IS NOT NULL;

-- The highest numbers that were ever given to rows that are gone: a number is never used twice. The triggers keep
-- them, so that no way of deleting rows can forget it, and so that the hot path does not touch this table.
CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('position', 0), ('local', 0);
CREATE TRIGGER journal_keeps_position AFTER DELETE ON journal BEGIN
  UPDATE counter SET value = max(value, OLD.id) WHERE name = 'position';
END;
CREATE TRIGGER execution_keeps_local AFTER DELETE ON execution BEGIN
  UPDATE counter SET value = max(value, OLD.local) WHERE name = 'local';
END;

-- By content hash; written once.
CREATE TABLE plan(hash TEXT PRIMARY KEY, format INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT;
CREATE TABLE definition(hash TEXT PRIMARY KEY, text BLOB NOT NULL) STRICT;

-- The library. A removed path keeps its versions, so that their numbers stay taken.
CREATE TABLE workflow(
  path TEXT PRIMARY KEY, newest INTEGER NOT NULL, listed INTEGER NOT NULL, checksum INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE workflow_version(
  path TEXT NOT NULL REFERENCES workflow(path),
  number INTEGER NOT NULL,
  workflow TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  version TEXT NOT NULL,
  definition_hash TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  checksum INTEGER NOT NULL,
  PRIMARY KEY (path, number)
) STRICT, WITHOUT ROWID;

-- Local processes that may still run.
CREATE TABLE child(
  token TEXT PRIMARY KEY,
  execution INTEGER NOT NULL REFERENCES execution(local),
  path TEXT NOT NULL,
  pid INTEGER NOT NULL,
  started_ticks INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  cgroup TEXT
) STRICT, WITHOUT ROWID;
