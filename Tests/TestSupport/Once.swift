internal import Synchronization

/// A value that is made by the first who asks; the others wait for the same one.
package final class Once<Value: Sendable>: Sendable {
    private let make: @Sendable () async throws -> Value
    private let task = Mutex<Task<Value, any Error>?>(nil)

    package init(_ make: @escaping @Sendable () async throws -> Value) {
        self.make = make
    }

    package var value: Value {
        get async throws {
            let task = task.withLock { task in
                let started = task ?? Task { try await make() }
                task = started
                return started
            }
            return try await task.value
        }
    }
}
