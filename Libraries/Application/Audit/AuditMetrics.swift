internal import Audit
internal import Telemetry

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
