internal import Application
internal import FoundationEssentials
internal import Postgres
internal import Time

/// A policy that pays for the person.
struct InsuranceInfo: Hashable, Sendable {
    enum PlanType: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case hmo, ppo, epo, pos, statutory, private_ = "private", other
    }

    enum HolderRelationship: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case oneself = "self", spouse, parent, child, other
    }

    enum Status: String, Hashable, Sendable, PostgresDecodable, PostgresEncodable {
        case unverified, verified, rejected, expired
    }

    var id: UUID
    var insurer: String
    var planName: String?
    var planType: PlanType?
    var policyNumber: String
    var groupNumber: String?
    var holderName: String
    var holderRelationship: HolderRelationship = .oneself
    var phone: String?
    var copayAmount: Numeric?
    var deductibleAmount: Numeric?
    var currency: String = "USD"
    var validFrom: CivilDate
    var validUntil: CivilDate?
    var isPrimary: Bool = true
    var status: Status = .unverified
    var verifiedAt: Instant?
    /// Grows by one with every change.
    var version: Int64 = 1
}

extension InsuranceInfo: TableRecord {
    /// The columns that the initialiser reads.
    static let columns: Query = """
        id, insurer, plan_name, plan_type, policy_number, group_number, holder_name, holder_relationship, phone,
        copay_amount, deductible_amount, currency, valid_from, valid_until, is_primary, status, verified_at,
        version
        """

    init(row: Row) throws(PostgresError) {
        id = try row.decode("id")
        insurer = try row.decode("insurer")
        planName = try row.decode("plan_name")
        planType = try row.decode("plan_type")
        policyNumber = try row.decode("policy_number")
        groupNumber = try row.decode("group_number")
        holderName = try row.decode("holder_name")
        holderRelationship = try row.decode("holder_relationship")
        phone = try row.decode("phone")
        copayAmount = try row.decode("copay_amount")
        deductibleAmount = try row.decode("deductible_amount")
        currency = try row.decode("currency")
        validFrom = try row.decode("valid_from")
        validUntil = try row.decode("valid_until")
        isPrimary = try row.decode("is_primary")
        status = try row.decode("status")
        verifiedAt = try row.decode("verified_at")
        version = try row.decode("version")
    }
}

/// The rows of `users.insurance_info`. Every statement runs as the person whose rows it touches.
struct InsuranceInfoRepository: RemovableRecords {
    static let table: Query = "users.insurance_info"
    let postgres: Postgres

    /// Throws `.uniqueViolation` for an id that the person has already, and what the table's other rules refuse.
    func insert(_ record: InsuranceInfo, of user: UserID) async throws(PostgresError) {
        try await postgres.execute(.insert(record, of: user), identity: .user(user.uuid))
    }

    /// Puts the record in the place of the one with its id. `false` if there is none, or it has another version.
    func replace(_ record: InsuranceInfo, of user: UserID) async throws(PostgresError) -> Bool {
        try await postgres.execute(.replace(record, of: user), identity: .user(user.uuid)) == 1
    }
}

extension Statement<Void> {
    static func insert(_ record: InsuranceInfo, of user: UserID) -> Self {
        .writing(
            """
            INSERT INTO users.insurance_info (
                user_id, id, insurer, plan_name, plan_type, policy_number, group_number, holder_name,
                holder_relationship, phone, copay_amount, deductible_amount, currency, valid_from, valid_until,
                is_primary, status, verified_at, version
            ) VALUES (
                \(user.uuid), \(record.id), \(record.insurer), \(record.planName), \(record.planType),
                \(record.policyNumber), \(record.groupNumber), \(record.holderName),
                \(record.holderRelationship), \(record.phone), \(record.copayAmount),
                \(record.deductibleAmount), \(record.currency), \(record.validFrom), \(record.validUntil),
                \(record.isPrimary), \(record.status), \(record.verifiedAt), \(record.version)
            )
            """)
    }

    static func replace(_ record: InsuranceInfo, of user: UserID) -> Self {
        .writing(
            """
            UPDATE users.insurance_info SET
                insurer = \(record.insurer), plan_name = \(record.planName), plan_type = \(record.planType),
                policy_number = \(record.policyNumber), group_number = \(record.groupNumber),
                holder_name = \(record.holderName), holder_relationship = \(record.holderRelationship),
                phone = \(record.phone), copay_amount = \(record.copayAmount),
                deductible_amount = \(record.deductibleAmount), currency = \(record.currency),
                valid_from = \(record.validFrom), valid_until = \(record.validUntil),
                is_primary = \(record.isPrimary), status = \(record.status), verified_at = \(record.verifiedAt),
                version = version + 1
            WHERE user_id = \(user.uuid) AND id = \(record.id) AND version = \(record.version)
            """)
    }
}
