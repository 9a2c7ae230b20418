internal import Synchronization

/// Has each value fetched once, however many ask for it at the same time.
///
/// A caller that gives up leaves the others waiting; when the last one has left, the fetching is cancelled.
final class Flights<Value: Sendable>: Sendable {
    private final class Flight: Sendable {
        struct State {
            var waiters: [Int: CheckedContinuation<Result<Value?, any Error>, Never>] = [:]
            var lastWaiter = 0
            var result: Result<Value?, any Error>?
            var task: Task<Void, Never>?
            /// Nobody waits, but what is fetched is wanted all the same.
            var isWantedAnyway = false
        }

        let state = Mutex(State())
    }

    private let flights = Mutex<[CacheKey: Flight]>([:])

    /// The value, and whether another caller had it fetched.
    func value(
        for key: CacheKey, _ fetch: @escaping @Sendable () async throws -> Value?
    ) async -> (result: Result<Value?, any Error>, hasJoined: Bool) {
        let (flight, isNew) = flight(for: key)
        if isNew { start(flight, key, fetch) }
        return (await wait(for: flight, key), !isNew)
    }

    /// Has the value fetched unless somebody does already; does not wait.
    func begin(_ key: CacheKey, _ fetch: @escaping @Sendable () async throws -> Value?) {
        let (flight, isNew) = flight(for: key)
        guard isNew else { return }
        flight.state.withLock { $0.isWantedAnyway = true }
        start(flight, key, fetch)
    }

    /// Callers from now on join nobody who asked before: what those get may be older than what has just happened.
    func detach(_ key: CacheKey) {
        _ = flights.withLock { $0.removeValue(forKey: key) }
    }

    /// How many callers wait for the value.
    func waiters(for key: CacheKey) -> Int {
        guard let flight = flights.withLock({ $0[key] }) else { return 0 }
        return flight.state.withLock { $0.waiters.count }
    }

    private func flight(for key: CacheKey) -> (Flight, isNew: Bool) {
        flights.withLock { flights in
            if let flight = flights[key] { return (flight, false) }
            let flight = Flight()
            flights[key] = flight
            return (flight, true)
        }
    }

    private func start(_ flight: Flight, _ key: CacheKey, _ fetch: @escaping @Sendable () async throws -> Value?) {
        // It goes on where the caller runs, which is where Redis and the database answer it; elsewhere each of their answers would change threads.
        let executor = unsafe withUnsafeCurrentTask { task in unsafe task?.unownedTaskExecutor?.asTaskExecutor() }
        let task = Task.immediate(executorPreference: executor) {
            let result: Result<Value?, any Error>
            do { result = .success(try await fetch()) } catch { result = .failure(error) }
            self.land(flight, key)
            let waiters = flight.state.withLock { state in
                state.result = result
                state.task = nil
                defer { state.waiters = [:] }
                return state.waiters.values
            }
            for waiter in waiters { waiter.resume(returning: result) }
        }
        flight.state.withLock { if $0.result == nil { $0.task = task } }
    }

    private func land(_ flight: Flight, _ key: CacheKey) {
        flights.withLock { if $0[key] === flight { $0[key] = nil } }
    }

    private func wait(for flight: Flight, _ key: CacheKey) async -> Result<Value?, any Error> {
        let number = flight.state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let result: Result<Value?, any Error>? = flight.state.withLock { state in
                    if let result = state.result { return result }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[number] = continuation
                    return nil
                }
                if let result { continuation.resume(returning: result) }
                abandonIfUnwanted(flight, key)
            }
        } onCancel: {
            let waiter = flight.state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume(returning: .failure(CancellationError()))
            abandonIfUnwanted(flight, key)
        }
    }

    private func abandonIfUnwanted(_ flight: Flight, _ key: CacheKey) {
        let task: Task<Void, Never>? = flight.state.withLock { state in
            state.waiters.isEmpty && !state.isWantedAnyway && state.result == nil ? state.task : nil
        }
        guard let task else { return }
        land(flight, key)
        task.cancel()
    }
}
