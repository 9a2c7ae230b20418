internal import Application
internal import Contracts
internal import Foundation
internal import Postgres
internal import RPC
internal import RecordTestSupport
internal import Testing
internal import Time

@testable internal import Vitals

extension VitalsV1.Prediction {
    fileprivate static func risk(_ minute: Int, model: String = "risk-net", id: UUID = UUID()) -> VitalsV1.Prediction {
        VitalsV1.Prediction(
            id: id.uuidString.lowercased(), kind: .heartRisk, modelId: model, modelVersion: "3", inputsSha256: Array(repeating: 7, count: 32),
            score: "0.81", calibratedScore: "0.64", confidence: "0.9", riskLevel: .high,
            explanation: .init(fields: ["age": .init(kind: .numberValue(0.25))]), recommendations: ["See somebody"],
            predictedAt: .init(morning + .seconds(60 * minute)))
    }
}

private func withPredictions(_ body: (PredictionsService, Postgres) async throws -> Void) async throws {
    try await withVitals { _, postgres in try await body(PredictionsService(predictions: PredictionStore(postgres: postgres)), postgres) }
}

extension PredictionsService {
    @discardableResult
    fileprivate func record(_ prediction: VitalsV1.Prediction, as caller: Caller) async throws -> VitalsV1.Prediction {
        try #require(try await recordPrediction(.init(prediction: prediction), context: caller.context).prediction)
    }
}

@Suite struct `A prediction` {
    @Test func `is kept once as it was, and nothing else by its id`() async throws {
        try await withPredictions { predictions, _ in
            let (ada, bob) = (Caller(), Caller())
            let given = VitalsV1.Prediction.risk(1)
            var kept = try await predictions.record(given, as: ada)

            #expect(try await predictions.record(given, as: ada) == kept)
            let read = try await predictions.getPrediction(.init(predictionId: given.id), context: ada.context).prediction
            #expect(read == kept)
            kept.recordedAt = nil
            #expect(kept == given)
            for change in [\VitalsV1.Prediction.score, \.calibratedScore, \.confidence, \.modelVersion] {
                var other = given
                other[keyPath: change] = "0.5"
                let another = other
                await expect(.alreadyExists) { try await predictions.record(another, as: ada) }
            }
            var digest = given
            digest.inputsSha256[0] = 8
            let another = digest
            await expect(.alreadyExists) { try await predictions.record(another, as: ada) }
            await expect(.notFound) { try await predictions.getPrediction(.init(predictionId: given.id), context: bob.context) }
        }
    }

    @Test func `is changed or removed by nobody`() async throws {
        try await withPredictions { predictions, postgres in
            let ada = Caller()
            try await predictions.record(.risk(1), as: ada)
            for statement in [
                "UPDATE vitals.prediction_history SET risk_score = 0", "DELETE FROM vitals.prediction_history",
            ] as [Query] {
                let error = await #expect(throws: PostgresError.self) { try await postgres.execute(statement, identity: .user(ada.id)) }
                #expect(error?.code == .insufficientPrivilege)
            }
        }
    }

    @Test func `is listed newest first, by model and kind, in pages`() async throws {
        try await withPredictions { predictions, _ in
            let ada = Caller()
            for minute in [3, 1, 2, 2] { try await predictions.record(.risk(minute), as: ada) }
            try await predictions.record(.risk(5, model: "other"), as: ada)
            var request = VitalsV1.ListPredictionsRequest(modelId: "risk-net", kind: .heartRisk, pageSize: 3)
            var times: [Int64] = []
            repeat {
                let page = try await predictions.listPredictions(request, context: ada.context)
                times += page.predictions.map { (($0.predictedAt?.seconds ?? 0) - morning.microsecondsSinceEpoch / 1_000_000) / 60 }
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(times == [3, 2, 2, 1])
            #expect(try await predictions.listPredictions(.init(), context: ada.context).predictions.first?.modelId == "other")
            #expect(try await predictions.listPredictions(.init(kind: .diabetes), context: ada.context).predictions.isEmpty)
            let token = try await predictions.listPredictions(.init(pageSize: 1), context: ada.context).nextPageToken
            await expect(.invalidArgument, fields: ["page_token"]) {
                try await predictions.listPredictions(.init(modelId: "other", pageToken: token), context: ada.context)
            }
            let longest = String(repeating: "😀", count: 200)
            for minute in 0..<2 { try await predictions.record(.risk(minute, model: longest), as: ada) }
            request = VitalsV1.ListPredictionsRequest(modelId: longest, pageSize: 1)
            request.pageToken = try await predictions.listPredictions(request, context: ada.context).nextPageToken
            #expect(try await predictions.listPredictions(request, context: ada.context).predictions.count == 1)
        }
    }

    @Test func `is listed in pages that fit into an answer`() async throws {
        try await withPredictions { predictions, _ in
            let ada = Caller()
            for minute in 0..<26 {
                var given = VitalsV1.Prediction.risk(minute)
                given.explanation = .init(fields: ["text": .init(kind: .stringValue(String(repeating: "x", count: 65_000)))])
                given.recommendations = Array(repeating: String(repeating: "😀", count: 1_000), count: 20)
                try await predictions.record(given, as: ada)
            }
            var request = VitalsV1.ListPredictionsRequest(pageSize: 100)
            var ids: [[String]] = []
            repeat {
                let page = try await predictions.listPredictions(request, context: ada.context)
                ids.append(page.predictions.map(\.id))
                request.pageToken = page.nextPageToken
            } while !request.pageToken.isEmpty

            #expect(ids.map(\.count) == [21, 5] && Set(ids.joined()).count == 26)
        }
    }

    @Test func `is refused with what is wrong about it`() async throws {
        try await withPredictions { predictions, _ in
            let ada = Caller()
            await expect(
                .invalidArgument,
                fields: Set(["id", "kind", "model_id", "model_version", "inputs_sha256", "score", "risk_level", "predicted_at"].map { "prediction.\($0)" })
            ) { try await predictions.record(.init(), as: ada) }
            var wrong = VitalsV1.Prediction.risk(1)
            (wrong.score, wrong.calibratedScore, wrong.confidence) = ("1.00001", "-0.1", "0.1234")
            wrong.explanation = .init(fields: ["text": .init(kind: .stringValue(String(repeating: "x", count: 70_000)))])
            let prediction = wrong
            await expect(
                .invalidArgument,
                fields: ["prediction.score", "prediction.calibrated_score", "prediction.confidence", "prediction.explanation"]
            ) { try await predictions.record(prediction, as: ada) }
        }
    }
}
