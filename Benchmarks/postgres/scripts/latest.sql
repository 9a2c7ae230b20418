\set user random(0, :users - 1)
\startpipeline
SELECT set_config('heartguard.user_id', :user, true);
SELECT wanted.metric, newest.value, newest.taken_at FROM unnest((SELECT :metrics::text[])) AS wanted (metric) CROSS JOIN LATERAL (SELECT value, taken_at FROM vitals WHERE user_id = :user AND vitals.metric = wanted.metric ORDER BY taken_at DESC, id DESC LIMIT 1) AS newest;
\endpipeline
