\set row random(1, :rows)
SELECT metric, value, taken_at FROM vitals WHERE id = :row;
