/// What one hash costs: memory, passes over it, and lanes that could run side by side (RFC 9106, section 3.1).
package struct Argon2Parameters: Sendable, Hashable {
    package var memoryKiB: UInt32
    package var iterations: UInt32
    package var parallelism: UInt32

    package init(memoryKiB: UInt32, iterations: UInt32, parallelism: UInt32) {
        self.memoryKiB = memoryKiB
        self.iterations = iterations
        self.parallelism = parallelism
    }

    /// 19 MiB, two passes, one lane: the second choice of the OWASP Password Storage Cheat Sheet, picked because
    /// 19 MiB a thread is memory that a small machine can spare, at the same strength as 46 MiB and one pass.
    package static let owasp = Argon2Parameters(memoryKiB: 19 * 1024, iterations: 2, parallelism: 1)

    /// The most that a stored hash may demand, so that a damaged or planted row cannot take the machine: 1 GiB and
    /// 64 passes, well above anything recommended today.
    static let ceiling = Argon2Parameters(memoryKiB: 1 << 20, iterations: 64, parallelism: 16)

    /// Whether a hash with these parameters can be made: RFC 9106 wants eight KiB a lane and one pass at least.
    var areUsable: Bool {
        // The ceiling first: beyond it the product would not fit.
        memoryKiB <= Self.ceiling.memoryKiB && iterations <= Self.ceiling.iterations && parallelism <= Self.ceiling.parallelism
            && iterations >= 1 && parallelism >= 1 && memoryKiB >= 8 * parallelism
    }
}
