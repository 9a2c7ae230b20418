internal import Synchronization

/// What a task that works for somebody waits for.
package enum WorkStage: String, Sendable, CaseIterable {
    /// A connection to the database.
    case pool
    /// The database's answer.
    case database
    /// The answer of Redis.
    case redis
    /// The answer of another program to a call.
    case call

    /// Where its count begins in `StageCounts`.
    fileprivate var shift: UInt64 {
        switch self {
        case .pool: 0
        case .database: 16
        case .redis: 32
        case .call: 48
        }
    }
}

/// The stages that a piece of work is in: several where children of its task wait as well, none while it computes.
///
/// To wait costs it two additions; nobody looks before the work has taken too long.
package struct StageCounts: ~Copyable, Sendable {
    /// Sixteen bits for each stage. More waits at a time than that would only have it name another.
    private let counts = Atomic<UInt64>(0)

    package init() {}

    package func entered(_ stage: WorkStage) { counts.wrappingAdd(1 << stage.shift, ordering: .relaxed) }

    package func left(_ stage: WorkStage) { counts.wrappingSubtract(1 << stage.shift, ordering: .relaxed) }

    package var current: [WorkStage] {
        let counts = counts.load(ordering: .relaxed)
        return WorkStage.allCases.filter { (counts >> $0.shift) & 0xFFFF != 0 }
    }
}
