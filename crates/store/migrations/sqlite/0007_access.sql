-- API keys. `hash` is of the secret, which is stored nowhere; `grants` is the node's own JSON. A row is never deleted:
-- a name in the audit means the same key for ever.
CREATE TABLE access_key(
  name TEXT PRIMARY KEY,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  grants TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- People who sign in. `password` is an argon2id hash as PHC text; without one nobody can sign in under this name.
CREATE TABLE access_user(
  name TEXT PRIMARY KEY,
  grants TEXT NOT NULL,
  password TEXT,
  disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
