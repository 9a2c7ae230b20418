internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import RPC
internal import Time

extension Prediction {
    static let maxRecommendations = 20

    static func parsed(_ given: VitalsV1.Prediction?, now: Instant = .now()) throws -> Prediction {
        guard let given else { throw RPCError.invalid("prediction", InvalidValue("is needed")) }
        var violations = FieldViolations()
        let id = violations.value("prediction.id", given.id, UUID.init(checking:))
        let kind = violations.value("prediction.kind", given.kind, PredictionType.init(_:))
        let model = violations.text("prediction.model_id", given.modelId, most: 200, isNeeded: true)
        let version = violations.text("prediction.model_version", given.modelVersion, most: 64, isNeeded: true)
        violations.check(given.inputsSha256.count == 32, "prediction.inputs_sha256", "A SHA-256 has 32 bytes.")
        let score = violations.value("prediction.score", given.score) { text throws(InvalidValue) in try Numeric(share: text, digits: 5) }
        let calibrated = given.calibratedScore.isEmpty
            ? nil : violations.value("prediction.calibrated_score", given.calibratedScore) { text throws(InvalidValue) in try Numeric(share: text, digits: 5) }
        let confidence = given.confidence.isEmpty
            ? nil : violations.value("prediction.confidence", given.confidence) { text throws(InvalidValue) in try Numeric(share: text, digits: 3) }
        let level = violations.value("prediction.risk_level", given.riskLevel, RiskLevel.init(_:))
        let explanation = violations.value("prediction.explanation", given.explanation, JSONB.init(checking:))
        violations.check(
            given.recommendations.count <= maxRecommendations, "prediction.recommendations", "There may be \(maxRecommendations) of them.")
        for (position, text) in given.recommendations.prefix(maxRecommendations).enumerated() {
            _ = violations.text("prediction.recommendations[\(position)]", text, most: 1_000, isNeeded: true)
        }
        let at = violations.value("prediction.predicted_at", given.predictedAt) { at throws(InvalidValue) in try Instant(measuredAt: at, now: now) }
        violations.check(given.recordedAt == nil, "prediction.recorded_at", "The service sets it.")
        let values = try violations.complete(id, kind, model, version, score, level, explanation, at)
        return Prediction(
            id: values.0, predictionType: values.1, model: values.2, modelVersion: values.3, riskScore: values.4, riskLevel: values.5,
            confidence: confidence, explanation: values.6, recommendations: given.recommendations, predictedAt: values.7,
            inputsSHA256: given.inputsSha256, calibratedScore: calibrated)
    }
}

extension Numeric {
    /// From 0 to 1, with so many digits behind the point.
    fileprivate init(share text: String, digits: Int) throws(InvalidValue) {
        let number = try DecimalNumber(text)
        let exact = ExactDecimal(number)
        guard exact.scale <= digits else { throw InvalidValue("has more than \(digits) digits behind the point") }
        guard !exact.unscaled.isNegative, !(ExactDecimal(DecimalNumber(stored: Numeric(1))) < exact) else { throw InvalidValue("must be 0 to 1") }
        self = number.numeric
    }
}

extension JSONB {
    /// What a caller may have kept, in bytes of JSON and in levels.
    static let mostBytes = 65_536
    static let mostLevels = 32

    /// An object; an absent one is empty.
    init(checking given: GoogleProtobuf.Struct?) throws(InvalidValue) {
        let node = JSONNode.object((given?.fields ?? [:]).mapValues { JSONNode($0) })
        guard node.levels <= Self.mostLevels else { throw InvalidValue("is more than \(Self.mostLevels) levels deep") }
        guard !node.hasNUL, let data = try? JSONEncoder().encode(node) else { throw InvalidValue("holds what JSON cannot keep") }
        guard data.count <= Self.mostBytes else { throw InvalidValue("has more than \(Self.mostBytes) bytes in JSON") }
        self.init(String(decoding: data, as: UTF8.self))
    }

    /// What a table holds; `nil` if it is empty, as if it had been left out.
    var message: GoogleProtobuf.Struct? {
        get throws {
            do {
                let fields = try JSONDecoder().decode([String: JSONNode].self, from: Data(text.utf8))
                return fields.isEmpty ? nil : GoogleProtobuf.Struct(fields: fields.mapValues(\.message))
            } catch {
                // Not passed on as a cause: the decoder's error may quote what it read.
                throw RPCError(.dataLoss, "What is kept cannot be read.")
            }
        }
    }
}

/// What a caller asks of `ListPredictions`.
struct PredictionList {
    let model: String?
    let kind: Prediction.PredictionType?
    let size: Int
    let place: PredictionPlace?

    init(_ request: VitalsV1.ListPredictionsRequest) throws(RPCError) {
        var violations = FieldViolations()
        let model = violations.text("model_id", request.modelId, most: 200, isNeeded: false)
        kind = request.kind == .unspecified ? nil : violations.value("kind", request.kind, Prediction.PredictionType.init(_:))
        let size = violations.pageSize(request.pageSize, usual: 20, most: 100)
        let values = try violations.complete(model, size)
        (self.model, self.size) = (values.0.isEmpty ? nil : values.0, values.1)
        place = try PageToken.place(request.pageToken, of: Self.query(self.model, kind)).map { PredictionPlace(at: $0.at, id: $0.id) }
    }

    private static func query(_ model: String?, _ kind: Prediction.PredictionType?) -> [String] {
        ["predictions", model ?? "", kind?.rawValue ?? ""]
    }

    /// A page of what was read with one more than the page holds, which tells whether there is another page.
    func page(_ read: [KeptPrediction]) throws -> VitalsV1.ListPredictionsResponse {
        let (page, next) = try PageToken.page(read, of: size, telling: { try VitalsV1.Prediction($0) }) {
            PageToken(of: Self.query(model, kind), behind: $0.prediction.predictedAt, $0.prediction.id)
        }
        return VitalsV1.ListPredictionsResponse(predictions: page, nextPageToken: next)
    }
}

extension VitalsV1.Prediction {
    init(_ kept: KeptPrediction) throws {
        let prediction = kept.prediction
        self.init(
            id: prediction.id.text, kind: .init(prediction.predictionType), modelId: prediction.model,
            modelVersion: prediction.modelVersion, inputsSha256: prediction.inputsSHA256 ?? [], score: prediction.riskScore.text,
            calibratedScore: prediction.calibratedScore?.text ?? "", confidence: prediction.confidence?.text ?? "",
            riskLevel: .init(prediction.riskLevel), explanation: try prediction.explanation.message, recommendations: prediction.recommendations,
            predictedAt: .init(prediction.predictedAt), recordedAt: .init(kept.recordedAt))
    }
}
