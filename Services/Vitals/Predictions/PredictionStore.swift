internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A prediction as it is kept.
struct KeptPrediction: Sendable, RowDecodable {
    let prediction: Prediction
    let recordedAt: Instant

    /// The columns that the initialiser reads. Numbers are as they were given, without the zeros that their column adds.
    static let columns: Query = """
        id, prediction_type, model, model_version, features, trim_scale(risk_score) AS risk_score, risk_level, trim_scale(confidence) AS confidence,
        explanation, recommendations, predicted_at, inputs_sha256, trim_scale(calibrated_score) AS calibrated_score, created_at
        """

    init(row: Row) throws(PostgresError) {
        prediction = try Prediction(row: row)
        recordedAt = try row.decode("created_at")
    }
}

/// Where a list of predictions goes on: behind this one.
struct PredictionPlace: Hashable, Sendable {
    let at: Instant
    let id: UUID
}

/// What models said of people. Nothing here changes what is kept, and the service's role could not.
struct PredictionStore: Sendable {
    let postgres: Postgres

    /// Keeps a prediction, or finds it, if it is there and says the same. Throws `VitalsError.predictionIsAnother`.
    func record(_ prediction: Prediction, of user: UserID) async throws -> KeptPrediction {
        let (_, found) = try await postgres.batch(
            .keep(prediction, of: user), .kept(prediction, of: user), identity: .user(user.uuid))
        guard let kept = try found.first() else { throw VitalsError.predictionIsAnother }
        return kept
    }

    /// Throws `VitalsError.noSuchPrediction`.
    func find(_ id: UUID, of user: UserID) async throws -> KeptPrediction {
        guard let kept = try await postgres.first(.prediction(id, of: user), identity: .user(user.uuid)) else { throw VitalsError.noSuchPrediction }
        return kept
    }

    /// By when they were made, the newest first, behind a place if there is one.
    func list(
        of user: UserID, model: String?, kind: Prediction.PredictionType?, behind place: PredictionPlace?, limit: Int
    ) async throws(PostgresError) -> [KeptPrediction] {
        try await postgres.rows(.predictions(of: user, model: model, kind: kind, behind: place, limit: limit), identity: .user(user.uuid))
    }
}

extension Statement<Void> {
    /// Changes nothing if there is one with its id.
    static func keep(_ prediction: Prediction, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO vitals.prediction_history (
                user_id, id, prediction_type, model, model_version, risk_score, risk_level, confidence, explanation, recommendations, predicted_at,
                inputs_sha256, calibrated_score)
            VALUES (
                \(user.uuid), \(prediction.id), \(prediction.predictionType), \(prediction.model), \(prediction.modelVersion),
                \(prediction.riskScore), \(prediction.riskLevel), \(prediction.confidence), \(prediction.explanation),
                \(prediction.recommendations), \(prediction.predictedAt), \(prediction.inputsSHA256), \(prediction.calibratedScore))
            ON CONFLICT (user_id, id) DO NOTHING
            """)
    }
}

extension Statement<KeptPrediction> {
    /// The one with its id, if it says the same. Numbers and JSON are compared by what they mean.
    static func kept(_ prediction: Prediction, of user: UserID) -> Self {
        .reading(
            """
            SELECT \(KeptPrediction.columns) FROM vitals.prediction_history
            WHERE user_id = \(user.uuid) AND id = \(prediction.id) AND prediction_type = \(prediction.predictionType)
              AND model = \(prediction.model) AND model_version = \(prediction.modelVersion) AND risk_score = \(prediction.riskScore)
              AND risk_level = \(prediction.riskLevel) AND confidence IS NOT DISTINCT FROM \(prediction.confidence)
              AND explanation = \(prediction.explanation) AND recommendations = \(prediction.recommendations)
              AND predicted_at = \(prediction.predictedAt) AND inputs_sha256 IS NOT DISTINCT FROM \(prediction.inputsSHA256)
              AND calibrated_score IS NOT DISTINCT FROM \(prediction.calibratedScore)
            """)
    }

    static func prediction(_ id: UUID, of user: UserID) -> Self {
        .reading("SELECT \(KeptPrediction.columns) FROM vitals.prediction_history WHERE user_id = \(user.uuid) AND id = \(id)")
    }

    static func predictions(
        of user: UserID, model: String?, kind: Prediction.PredictionType?, behind place: PredictionPlace?, limit: Int
    ) -> Self {
        let ofModel: Query = if let model { "AND model = \(model)" } else { "" }
        let ofKind: Query = if let kind { "AND prediction_type = \(kind)" } else { "" }
        let rest: Query = if let place { "AND (predicted_at, id) < (\(place.at), \(place.id))" } else { "" }
        return .reading(
            """
            SELECT \(KeptPrediction.columns) FROM vitals.prediction_history
            WHERE user_id = \(user.uuid) \(ofModel) \(ofKind) \(rest) ORDER BY predicted_at DESC, id DESC LIMIT \(limit)
            """)
    }
}
