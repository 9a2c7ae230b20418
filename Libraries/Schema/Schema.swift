package import Migrations

/// The one chain of revisions that every context's tables come from.
///
/// The files stand in `Revisions/`, a revision a file, and are embedded in the program. A file that has been
/// released is never edited: the checksum of the way up is recorded in every database that has it.
package enum Schema {
    /// Every revision, oldest first. The id is the file's name, which tells two revisions of one date apart.
    package static let chain = MigrationChain(revisions: [
        revision("7997d76f03d0_baseline", PackageResources._997d76f03d0_baseline_sql),
        revision("20260110_sqlite_to_postgresql", PackageResources._0260110_sqlite_to_postgresql_sql),
        revision("20260119_session_archives", PackageResources._0260119_session_archives_sql),
        revision("20260124_vector_tables", PackageResources._0260124_vector_tables_sql),
        revision("20260221_appointments", PackageResources._0260221_appointments_sql),
        revision("20260221_missing_tables", PackageResources._0260221_missing_tables_sql),
        revision(
            "20260222_performance_indexes", PackageResources._0260222_performance_indexes_sql,
            execution: .concurrentIndexes),
        revision("rag_memory_optimization", PackageResources.rag_memory_optimization_sql),
        revision("20261129_token_revocations", PackageResources._0261129_token_revocations_sql),
        revision("20261129_jobs", PackageResources._0261129_jobs_sql),
        revision("20261129_checkpoints", PackageResources._0261129_checkpoints_sql),
        revision("20261129_erasures", PackageResources._0261129_erasures_sql),
        revision("20261129_archives", PackageResources._0261129_archives_sql),
        revision("20261129_memories", PackageResources._0261129_memories_sql),
        revision("20261129_user_memories", PackageResources._0261129_user_memories_sql),
        revision("20261129_seed_collections", PackageResources._0261129_seed_collections_sql),
        revision("20261129_appointment_holds", PackageResources._0261129_appointment_holds_sql),
        revision("20261129_calendar_events", PackageResources._0261129_calendar_events_sql),
        revision("20261129_sign_in_attempts", PackageResources._0261129_sign_in_attempts_sql),
        revision("20261129_own_records", PackageResources._0261129_own_records_sql),
        revision("20261129_observation_versions", PackageResources._0261129_observation_versions_sql),
        revision("20261129_alert_rules", PackageResources._0261129_alert_rules_sql),
        revision("20261129_medication_doses", PackageResources._0261129_medication_doses_sql),
        revision("20261129_consent_history", PackageResources._0261129_consent_history_sql),
        revision("20261129_device_series", PackageResources._0261129_device_series_sql),
        revision("20261129_goals_and_predictions", PackageResources._0261129_goals_and_predictions_sql),
        revision("20261129_care_grants", PackageResources._0261129_care_grants_sql),
        revision("20261129_audit_log", PackageResources._0261129_audit_log_sql),
        revision("20261129_aliases", PackageResources._0261129_aliases_sql),
        revision("20261129_exports", PackageResources._0261129_exports_sql),
        revision("20261130_imports", PackageResources._0261130_imports_sql),
        revision("20261130_rollup_extremes", PackageResources._0261130_rollup_extremes_sql),
        revision("20261130_memory_embeddings", PackageResources._0261130_memory_embeddings_sql),
        revision("20261130_idempotency_keys", PackageResources._0261130_idempotency_keys_sql),
        revision("20261130_import_devices", PackageResources._0261130_import_devices_sql),
        revision("20261130_audit_archives", PackageResources._0261130_audit_archives_sql),
        revision(
            "20261130_alerts_fired_once", PackageResources._0261130_alerts_fired_once_sql, execution: .concurrentIndexes),
        revision("20261130_alerts_fired_key", PackageResources._0261130_alerts_fired_key_sql),
        revision(
            "20261130_medication_doses_due", PackageResources._0261130_medication_doses_due_sql, execution: .concurrentIndexes),
        revision(
            "20261201_notifications_sent", PackageResources._0261201_notifications_sent_sql, execution: .concurrentIndexes),
        revision("20261201_long_histories", PackageResources._0261201_long_histories_sql),
        revision("20261201_jobs_apart", PackageResources._0261201_jobs_apart_sql),
        revision("20261201_planned_sweeps", PackageResources._0261201_planned_sweeps_sql),
        revision("20261201_first_messages", PackageResources._0261201_first_messages_sql, execution: .concurrentIndexes),
        revision("20261201_idle_sessions", PackageResources._0261201_idle_sessions_sql),
        revision(
            "20261201_refresh_tokens_by_expiry", PackageResources._0261201_refresh_tokens_by_expiry_sql, execution: .concurrentIndexes),
        revision("20261201_forgotten_sessions", PackageResources._0261201_forgotten_sessions_sql),
        revision("20261201_sessions_before", PackageResources._0261201_sessions_before_sql),
        revision(
            "20261201_outbox_of_person", PackageResources._0261201_outbox_of_person_sql, execution: .concurrentIndexes),
        revision("20261201_jobs_in_time", PackageResources._0261201_jobs_in_time_sql),
        revision("20261201_other_operators", PackageResources._0261201_other_operators_sql),
        revision("20261201_table_names", PackageResources._0261201_table_names_sql),
        revision("20261201_runs_reported", PackageResources._0261201_runs_reported_sql),
        revision("20261201_drug_classes", PackageResources._0261201_drug_classes_sql),
        revision("20261201_drug_lists_read_only", PackageResources._0261201_drug_lists_read_only_sql),
    ])

    private static func revision(
        _ id: String, _ file: [UInt8], execution: Revision.Execution = .oneTransaction
    ) -> Revision {
        let name = id.split(separator: "_").drop { $0.contains(where: \.isNumber) }.joined(separator: " ")
        return Revision(id: id, name: name, file: String(decoding: file, as: UTF8.self), execution: execution)
    }
}
