-- What was found when a definition was checked, the newest of each; gone with the definition. `report` is the node's
-- own JSON.
CREATE TABLE validation(
  id INTEGER PRIMARY KEY,
  definition_hash TEXT NOT NULL REFERENCES definition(hash) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  report TEXT NOT NULL
) STRICT;
CREATE INDEX validation_definition ON validation(definition_hash);
