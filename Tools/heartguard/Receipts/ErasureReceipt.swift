internal import Foundation
internal import Time
internal import Tokens

/// What was removed of somebody whose account is closed, as the Users service has signed it. It names nobody.
struct ErasureReceipt: Decodable, Equatable {
    /// What its header calls it.
    static let type = "heartguard-erasure+jwt"

    let iss: String
    /// The erasure's id.
    let jti: String
    /// When it had finished, in seconds since 1970.
    let iat: Int64
    let requestedAt: Int64
    let requestedBy: String
    /// By service and table, how many rows were removed.
    let removed: [String: [String: Int64]]

    private enum CodingKeys: String, CodingKey {
        case iss, jti, iat, removed
        case requestedAt = "requested_at"
        case requestedBy = "requested_by"
    }

    /// The receipt in a file, whose end may be a line's, if one of the keys in other files has signed it.
    static func verified(_ path: String, keys files: [String]) throws -> ErasureReceipt {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { throw CommandFailure("\(path) cannot be read.") }
        let sets = try files.map(keySet)
        do throws(TokenError) {
            var keys = TokenKeySet()
            for set in sets { keys = try keys.merging(set) }
            return try keys.claims(of: text.trimmingCharacters(in: .whitespacesAndNewlines), type: type, as: ErasureReceipt.self)
        } catch {
            let hint = error.code == .unknownKey ? " If that key was retired since, name the file that has it by --keys." : ""
            throw CommandFailure("\(path) is no receipt to believe. \(error.message)\(hint)")
        }
    }

    private static func keySet(_ path: String) throws -> TokenKeySet {
        guard let json = try? String(contentsOfFile: path, encoding: .utf8) else { throw CommandFailure("the keys in \(path) cannot be read.") }
        do throws(TokenError) { return try TokenKeySet(json: json) } catch { throw CommandFailure("\(path): \(error.message)") }
    }

    /// For a person: whose it is nobody learns from it.
    var lines: [String] {
        func moment(_ seconds: Int64) -> String { Instant(microsecondsSinceEpoch: seconds &* 1_000_000).rfc3339 }
        let rows = removed.values.flatMap(\.values).reduce(Int64(0)) { sum, count in
            // Whoever has a key can sign any numbers.
            let (total, isTooMuch) = sum.addingReportingOverflow(count)
            return isTooMuch ? .max : total
        }
        let tables = removed.sorted { $0.key < $1.key }.flatMap { service, tables in
            tables.sorted { $0.key < $1.key }.map { "  \(service).\($0.key): \($0.value.shown)" }
        }
        return [
            "The receipt holds: \(iss) has signed it.", "erasure \(jti), asked for by \(requestedBy == "user" ? "the person" : "an operator") at \(moment(requestedAt)), finished at \(moment(iat))",
            "\(rows.shown) rows removed",
        ] + tables
    }
}
