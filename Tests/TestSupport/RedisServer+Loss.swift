extension RedisServer {
    /// How a Redis is lost.
    package enum Loss: CaseIterable, Sendable {
        /// Its process is gone.
        case killed
        /// Its process is there and does nothing.
        case paused
        /// Nothing that is sent to it or by it arrives.
        case partitioned
    }

    /// Loses the server. What is partitioned is the network through which it is reached.
    package func lose(_ way: Loss, network: DroppingProxy?) async throws {
        switch way {
        case .killed: try await kill()
        case .paused: try await suspend()
        case .partitioned: network?.drop()
        }
    }

    /// Ends the loss. What the server had it has again, as far as it was to keep that when it is killed.
    package func comeBack(from way: Loss, network: DroppingProxy?) async throws {
        switch way {
        case .killed: try await launch()
        case .paused: try await resume()
        case .partitioned: network?.restore()
        }
    }
}
