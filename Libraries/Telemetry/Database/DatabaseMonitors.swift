package import Logging
package import Postgres

/// What watches a program's database: how long each statement takes, and which round trips were slow.
package struct DatabaseMonitors: PostgresObserver {
    package let performance: QueryPerformanceMonitor
    package let slowQueries: SlowQueryLogger

    package init(logger: Logger) {
        performance = QueryPerformanceMonitor()
        slowQueries = SlowQueryLogger(logger: logger)
    }

    package func ended(_ roundTrip: RoundTrip) {
        performance.ended(roundTrip)
        slowQueries.ended(roundTrip)
    }
}
