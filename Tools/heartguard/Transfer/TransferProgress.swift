internal import Foundation
internal import Synchronization

/// Says on standard error how far a transfer has come: now and then, and how fast it goes.
final class TransferProgress: Sendable {
    private struct State {
        var documents = 0
        var part = 0.0
        var said = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let start = ContinuousClock.now
    private let startPart: Double
    private let verb: String
    private let noun: String
    static let interval = Duration.seconds(1)

    /// - Parameter part: how much of the whole is done when it begins, 0 to 1.
    init(_ verb: String, of noun: String = "documents", part: Double) {
        self.verb = verb
        self.noun = noun
        startPart = part
    }

    var documents: Int { state.withLock { $0.documents } }

    /// More documents have come through, which makes so much of the whole; 0 where that is not known.
    func advance(by documents: Int, part: Double) {
        let now = ContinuousClock.now
        let line: String? = state.withLock { state in
            state.documents += documents
            state.part = part
            guard now - state.said >= Self.interval else { return nil }
            state.said = now
            return Self.line(verb, state.documents, of: noun, in: now - start, from: startPart, to: part)
        }
        if let line { FileHandle.standardError.say(line) }
    }

    /// For example "imported 12,000 documents, 4,000 a second, 30 %, about 7 s to go".
    static func line(
        _ verb: String, _ documents: Int, of noun: String = "documents", in time: Duration, from startPart: Double, to part: Double
    ) -> String {
        let rate = Double(documents) / max(time.seconds, 0.001)
        var line = "\(verb) \(documents.shown) \(noun), \(Int(rate).shown) a second"
        if part > 0 {
            line += ", \(Int(part * 100)) %"
            if part > startPart { line += ", about \(Int((time.seconds * (1 - part) / (part - startPart)).rounded())) s to go" }
        }
        return line
    }
}
