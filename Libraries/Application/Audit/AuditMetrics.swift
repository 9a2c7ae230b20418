internal import Audit
internal import Synchronization
internal import Telemetry

extension CallAudit.Denials {
    func write(to text: inout PrometheusText) {
        let (leftOut, turnedAway) = state.withLock { ($0.leftOut, $0.turnedAway) }
        text.family("heartguard_audit_denials_left_out_total", .counter, help: "Calls that were denied as others of the same minute were, which are on record.")
        text.sample("heartguard_audit_denials_left_out_total", [], Double(leftOut))
        text.family("heartguard_audit_denials_turned_away_total", .counter, help: "Calls of callers of whom too many different ones were denied, of which nothing is on record.")
        text.sample("heartguard_audit_denials_turned_away_total", [], Double(turnedAway))
    }
}

extension AuditRecorder.Counts {
    func write(to text: inout PrometheusText) {
        func counter(_ name: String, _ help: String, _ value: Double) {
            text.family(name, .counter, help: help)
            text.sample(name, [], value)
        }
        counter("heartguard_audit_events_total", "Events that were put on record.", Double(events))
        counter("heartguard_audit_batches_total", "Statements that put them there.", Double(batches))
        counter("heartguard_audit_retries_total", "Statements that were sent again, after a failure of the database.", Double(retries))
        counter("heartguard_audit_failures_total", "Events that could not be put on record, whose calls were refused.", Double(failures))
        counter("heartguard_audit_refusals_total", "Calls that were refused because too many events waited.", Double(refusals))
        counter("heartguard_audit_wait_seconds_total", "How long calls have waited until their events were on record, together.", waited / .seconds(1))
        text.family("heartguard_audit_waiting", .gauge, help: "Events that wait to be put on record.")
        text.sample("heartguard_audit_waiting", [], Double(waiting))
    }
}
