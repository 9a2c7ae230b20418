-- What is looked for among everybody's rows is planned with what is asked for. The plan that is kept after five calls on a connection serves every
-- place and both kinds of threads, so it may use no index for either: it walks past all threads that are pruned, and all sessions in front of a place.
ALTER FUNCTION chat.checkpoint_threads_unused_since SET plan_cache_mode = force_custom_plan;
ALTER FUNCTION chat.sessions_unused_since SET plan_cache_mode = force_custom_plan;

-- Down ------------------------------------------------------------------------------------------------------------

ALTER FUNCTION chat.sessions_unused_since RESET plan_cache_mode;
ALTER FUNCTION chat.checkpoint_threads_unused_since RESET plan_cache_mode;
