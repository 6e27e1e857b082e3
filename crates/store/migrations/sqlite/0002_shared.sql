-- Places in groups: those that are taken and those that are waited for. `path` is empty for the execution itself.
CREATE TABLE permit(
  resource TEXT NOT NULL,
  execution INTEGER NOT NULL REFERENCES execution(local) ON DELETE CASCADE,
  path TEXT NOT NULL,
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (resource, execution, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX permit_execution ON permit(execution);

-- Circuit breakers; `state` is the node's own JSON.
CREATE TABLE breaker(name TEXT PRIMARY KEY, state TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Keys that starts were given: the same key again is the same execution, as long as its row is kept.
CREATE TABLE start_key(
  workflow TEXT NOT NULL,
  key TEXT NOT NULL,
  execution INTEGER NOT NULL REFERENCES execution(local) ON DELETE CASCADE,
  digest TEXT NOT NULL,
  PRIMARY KEY (workflow, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX start_key_execution ON start_key(execution);
