import Contracts
import RPC
import Time

/// What one service gave to an answer that is made of several, or how it went without.
struct PartialAnswer<Answer: Sendable>: Sendable {
    let part: GatewayV1.Part
    let answer: Answer?
    let error: RPCError?

    /// Why the whole is refused, and not this part marked: the caller's session has ended.
    var refusal: RPCError? { error?.code == .unauthenticated ? error : nil }

    static func of(_ backend: Backend, _ ask: () async throws(RPCError) -> Answer) async -> PartialAnswer {
        let start = ContinuousClock.now
        func part(_ state: GatewayV1.PartState) -> GatewayV1.Part {
            .init(
                service: backend.rawValue, state: state,
                elapsedMicroseconds: Int64((ContinuousClock.now - start) / .microseconds(1)))
        }
        do throws(RPCError) {
            let answer = try await ask()
            return PartialAnswer(part: part(.present), answer: answer, error: nil)
        } catch {
            return switch error.code {
            case .unavailable: PartialAnswer(part: part(.unavailable), answer: nil, error: error)
            case .deadlineExceeded: PartialAnswer(part: part(.timedOut), answer: nil, error: error)
            case .permissionDenied: PartialAnswer(part: part(.notGranted), answer: nil, error: error)
            default: PartialAnswer(part: part(.failed), answer: nil, error: error)
            }
        }
    }
}

/// How long the parts of an answer may take.
enum PartsBudget {
    /// Kept back from the caller's deadline, so that the answer still reaches the caller when a service does not.
    static let reserve: Duration = .milliseconds(200)

    /// Runs what puts an answer together of parts. A part that was cancelled has not failed, for nobody asks any more: then it throws.
    static func within<Answer>(_ deadline: Deadline?, _ body: () async throws -> Answer) async throws -> Answer {
        let answer = try await Deadline.with(of(deadline), body)
        try Task.checkCancellation()
        return answer
    }

    private static func of(_ deadline: Deadline?) -> Deadline? {
        guard let deadline else { return nil }
        // A caller in a hurry keeps a tenth for the way back.
        return .after(deadline.remaining - min(reserve, deadline.remaining / 10))
    }
}
