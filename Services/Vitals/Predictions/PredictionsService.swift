internal import Application
internal import Contracts
internal import FoundationEssentials
internal import RPC

/// The methods of `heartguard.vitals.v1.PredictionsService`: each parses its request, does one thing and answers.
struct PredictionsService: Sendable {
    let predictions: PredictionStore
}

extension PredictionsService: VitalsV1.PredictionsServiceProtocol {
    func recordPrediction(
        _ request: VitalsV1.RecordPredictionRequest, context: RPCContext
    ) async throws -> VitalsV1.RecordPredictionResponse {
        let kept = try await predictions.record(try Prediction.parsed(request.prediction), of: try context.userID)
        return VitalsV1.RecordPredictionResponse(prediction: try .init(kept))
    }

    func getPrediction(_ request: VitalsV1.GetPredictionRequest, context: RPCContext) async throws -> VitalsV1.GetPredictionResponse {
        let kept = try await predictions.find(try .init(named: "prediction_id", request.predictionId), of: try context.userID)
        return VitalsV1.GetPredictionResponse(prediction: try .init(kept))
    }

    func listPredictions(
        _ request: VitalsV1.ListPredictionsRequest, context: RPCContext
    ) async throws -> VitalsV1.ListPredictionsResponse {
        let list = try PredictionList(request)
        return try list.page(
            try await predictions.list(
                of: try context.userID, model: list.model, kind: list.kind, behind: list.place, limit: list.size + 1))
    }
}
