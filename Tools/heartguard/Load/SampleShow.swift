internal import Contracts
internal import Foundation
internal import RPC

/// Shows what the cluster answers about the sample data.
struct SampleShow: Sendable {
    let client: GatewayClient
    let progress: Progress

    /// Returns the conversation that quotes what was found.
    func show(_ record: LoadRecord, _ texts: MedicalTexts) async throws -> String {
        progress.line("")
        progress.line("What was loaded through the Gateway")
        progress.line("  \(record.people.count) people registered or signed in, in \(Duration.seconds(record.people.seconds).shown)")
        progress.line("  \(record.readings.sentence("glucose readings"))")
        progress.line("  \(record.signalSamples.sentence("samples of a heart signal"))")
        progress.line("  \(record.documents.sentence("medical texts with their embeddings"))")
        guard let question = texts.questions.first else { throw CommandFailure("there is no question among the medical texts.") }

        let began = ContinuousClock.now
        let matches = try await SampleKnowledge(client: client).nearest(to: question, limit: 5)
        progress.line("")
        progress.line("“\(question.text)” is nearest in meaning to these texts, by the cosine (\((ContinuousClock.now - began).milliseconds))")
        for match in matches {
            let score = Double(match.score).formatted(.number.precision(.fractionLength(3)))
            progress.line("  \(score)  \(match.metadata["title"] ?? match.id) (\(match.id))")
        }
        let conversation = try await SampleConversation(client: client).tell(question, found: matches)
        progress.line("  A conversation of \(conversation.messages) messages quotes them (session \(conversation.session)).")
        try await showOverview()
        return conversation.session
    }

    private func showOverview() async throws {
        let gateway = GatewayV1.GatewayServiceClient(client.channel)
        let began = ContinuousClock.now
        let overview = try await client.patiently { options throws(RPCError) in
            try await gateway.getPatientOverview(.init(), options: options)
        }
        progress.line("")
        progress.line("One patient's overview, all four services asked at once (\((ContinuousClock.now - began).milliseconds))")
        for part in overview.parts {
            let what: String = switch part.service {
            case "users": overview.user?.name ?? ""
            case "vitals": overview.latestObservations.map(Self.describe).joined(separator: ", ")
            case "chat": overview.recentSessions.map { "“\($0.title)”, \($0.messageCount) messages" }.joined(separator: ", ")
            case "vectors": overview.collections.map { "\($0.name), \(Int($0.documentCount).shown) documents" }.joined(separator: ", ")
            default: ""
            }
            let elapsed = Duration.microseconds(part.elapsedMicroseconds).milliseconds
            progress.step(part.service, part.state == .present ? "\(what) (\(elapsed))" : "could not be had: \(part.state)")
        }
    }

    /// What the sample data and the story have readings of, by LOINC.
    private static let names = [
        SampleVitals.glucose: "glucose", "8867-4": "heart rate", "59408-5": "oxygen saturation", "85354-9": "blood pressure",
        "2089-1": "LDL cholesterol",
    ]

    /// For example "blood pressure 128/82 mm[Hg] (2026-03-01 09:40)".
    private static func describe(_ observation: VitalsV1.Observation) -> String {
        let quantities = observation.quantity.map { [$0] } ?? observation.components.compactMap(\.quantity)
        let values = quantities.map(\.value).joined(separator: "/")
        let name = names[observation.code] ?? "LOINC \(observation.code)"
        return "\(name) \(values) \(quantities.first?.unit ?? "") (\(observation.effectiveAt?.shown ?? ""))"
    }
}
