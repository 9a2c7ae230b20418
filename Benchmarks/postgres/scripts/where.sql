\set row random(1, :rows)
\set user :row % :users
\startpipeline
BEGIN READ ONLY;
SELECT set_config('heartguard.user_id', :user, true);
SELECT metric, value, taken_at FROM vitals WHERE id = :row AND user_id = :user;
COMMIT;
\endpipeline
