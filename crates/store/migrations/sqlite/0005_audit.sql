-- What people and the owner did that no execution's journal has, in the transaction of what they did. The audit's
-- follower makes a record of each; what has one leaves with the next clean-up. `entry` is the node's own JSON.
CREATE TABLE audit_act(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, entry TEXT NOT NULL) STRICT;

-- A number is never used twice: the follower's cursor counts on it.
INSERT INTO counter VALUES ('act', 0);
CREATE TRIGGER audit_act_keeps_number AFTER DELETE ON audit_act BEGIN
  UPDATE counter SET value = max(value, OLD.id) WHERE name = 'act';
END;
