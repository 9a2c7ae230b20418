internal import ArgumentParser

/// How long and how hard the soak tests go on.
struct SoakOptions: ParsableArguments, Sendable {
    @Option(name: .customLong("soak_iterations"), help: "How many calls are made.")
    var iterations = 10

    @Option(name: .customLong("soak_max_failures"), help: "How many may fail or take too long.")
    var maxFailures = 0

    @Option(name: .customLong("soak_per_iteration_max_acceptable_latency_ms"), help: "How long a call may take.")
    var maxLatencyMilliseconds = 1_000

    @Option(name: .customLong("soak_min_time_ms_between_rpcs"), help: "The least time from one call to the next.")
    var minMillisecondsBetweenCalls = 0

    @Option(name: .customLong("soak_overall_timeout_seconds"), help: "How long everything may take.")
    var timeoutSeconds = 10

    @Option(name: .customLong("soak_request_size"), help: "The bytes of a request's payload.")
    var requestBytes = 271_828

    @Option(name: .customLong("soak_response_size"), help: "The bytes of a response's payload.")
    var responseBytes = 314_159

    @Option(name: .customLong("soak_num_threads"), help: "How many calls are made at a time.")
    var workers = 1

    func validate() throws {
        guard iterations > 0, workers > 0, iterations % workers == 0 else {
            throw ValidationError("--soak_iterations must be a multiple of --soak_num_threads.")
        }
        guard (0...32 << 20).contains(requestBytes), (0...32 << 20).contains(responseBytes) else {
            throw ValidationError("Payloads have from 0 to 32 MiB.")
        }
    }
}
