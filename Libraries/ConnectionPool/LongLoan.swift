/// Where a connection was asked for.
package struct Borrower: Sendable, Hashable, CustomStringConvertible {
    package let file: String
    package let line: Int

    /// - Parameter file: `#fileID`, which has no folder of the machine that built it.
    package init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    package var description: String { "\(file):\(line)" }
}

/// A connection that is lent for longer than `PoolConfiguration.loanLimit`: it is lost to everybody else, by a body that waits for
/// something that does not come, or that keeps it through work that needs none. Told once a loan.
package struct LongLoan: Sendable {
    package let borrower: Borrower
    package let duration: Duration
    /// What the connection was last asked to do, without any value.
    package let activity: String?
}
