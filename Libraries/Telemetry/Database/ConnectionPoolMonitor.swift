package import ConnectionPool

/// A pool's numbers at one moment.
package struct ConnectionPoolReport: Sendable, Equatable {
    package let name: String
    package let statistics: PoolStatistics

    /// The share of the connections that there may be which are lent.
    package var utilisation: Double {
        statistics.limit == 0 ? 0 : Double(statistics.lent) / Double(statistics.limit)
    }

    package init(name: String, statistics: PoolStatistics) {
        self.name = name
        self.statistics = statistics
    }
}

/// How busy the program's pools are.
package struct ConnectionPoolMonitor: Sendable {
    package struct Pool: Sendable {
        let name: String
        let statistics: @Sendable () -> PoolStatistics

        package init(name: String, statistics: @escaping @Sendable () -> PoolStatistics) {
            self.name = name
            self.statistics = statistics
        }
    }

    private let pools: [Pool]

    package init(_ pools: [Pool]) {
        self.pools = pools
    }

    package func reports() -> [ConnectionPoolReport] {
        pools.map { ConnectionPoolReport(name: $0.name, statistics: $0.statistics()) }
    }
}
