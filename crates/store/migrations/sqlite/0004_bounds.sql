-- The state of an execution after turn `seq`: a short cut for the fold, gone without loss.
CREATE TABLE snapshot(
  execution INTEGER PRIMARY KEY REFERENCES execution(local) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  format INTEGER NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
-- However an execution ends, nothing is folded after it.
CREATE TRIGGER ended_execution_needs_no_snapshot AFTER UPDATE OF ended_at ON execution
WHEN NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL BEGIN
  DELETE FROM snapshot WHERE execution = NEW.local;
END;

-- Whether an execution only waits, when it wakes by itself (microseconds), and whether only people or a signal can
-- move it. The index has all that a new owner needs to know of those that wait; it costs nothing for the others.
ALTER TABLE execution ADD COLUMN idle INTEGER NOT NULL DEFAULT 0;
ALTER TABLE execution ADD COLUMN next_wake INTEGER;
ALTER TABLE execution ADD COLUMN for_people INTEGER NOT NULL DEFAULT 0;
CREATE INDEX execution_idle ON execution(local, status, next_wake, for_people) WHERE idle = 1;
