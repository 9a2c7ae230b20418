/// Everything that is wrong with a program's settings, reported together.
package struct SettingsError: Error, Sendable, Equatable, CustomStringConvertible {
    /// One sentence for each setting that is missing or cannot be used.
    package let problems: [String]

    package var description: String {
        "The settings cannot be used:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}
