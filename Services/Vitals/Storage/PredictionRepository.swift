internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// What a model said of the person; never changed.
struct Prediction: Hashable, Sendable {
    enum PredictionType: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case heartRisk = "heart_risk", arrhythmia, hypertension, diabetes, readmission, other
    }

    enum RiskLevel: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case low, moderate, high, veryHigh = "very_high"
    }

    var id: UUID
    var predictionType: PredictionType
    var model: String
    var modelVersion: String
    var features: JSONB = JSONB("{}")
    var riskScore: Numeric
    var riskLevel: RiskLevel
    var confidence: Numeric?
    var explanation: JSONB = JSONB("{}")
    var recommendations: [String] = []
    var predictedAt: Instant
    /// Of what it was made.
    var inputsSHA256: [UInt8]?
    var calibratedScore: Numeric?
}

extension Prediction: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, prediction_type, model, model_version, features, risk_score, risk_level, confidence, explanation,
        recommendations, predicted_at, inputs_sha256, calibrated_score
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        predictionType = try row.decode("prediction_type")
        model = try row.decode("model")
        modelVersion = try row.decode("model_version")
        features = try row.decode("features")
        riskScore = try row.decode("risk_score")
        riskLevel = try row.decode("risk_level")
        confidence = try row.decode("confidence")
        explanation = try row.decode("explanation")
        recommendations = try row.decode("recommendations")
        predictedAt = try row.decode("predicted_at")
        inputsSHA256 = try row.decode("inputs_sha256")
        calibratedScore = try row.decode("calibrated_score")
    }
}

/// The rows of `vitals.prediction_history`. Every statement runs as the person whose rows it touches.
struct PredictionRepository: PersonalRecords {
    static let table: Query = "vitals.prediction_history"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: Prediction, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }
}

extension Statement<Void> {
    static func insert(_ record: Prediction, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.prediction_history (
                user_id, id, prediction_type, model, model_version, features, risk_score, risk_level,
                confidence, explanation, recommendations, predicted_at, inputs_sha256, calibrated_score
            ) VALUES (
                \(user.uuid), \(record.id), \(record.predictionType), \(record.model), \(record.modelVersion),
                \(record.features), \(record.riskScore), \(record.riskLevel), \(record.confidence),
                \(record.explanation), \(record.recommendations), \(record.predictedAt),
                \(record.inputsSHA256), \(record.calibratedScore)
            )
            """)
    }
}
