internal import Foundation
internal import Testing
internal import Tokens

@testable import HeartGuardCommand

@Suite struct `A receipt of an erasure` {
    /// As the Users service writes them.
    private struct Claims: Encodable {
        var iss = "heartguard"
        var jti = "0199f000-0000-7000-8000-000000000001"
        var iat = 1_795_900_000
        var requested_at = 1_795_890_000
        var requested_by = "user"
        var removed = ["users": ["sessions": 2, "users": 1], "vitals": ["vitals": 1_000]]
    }

    private let folder = URL.temporaryDirectory.appending(path: "receipts-\(UUID().uuidString)")
    private let signer: TokenSigner

    init() throws {
        signer = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func file(_ content: String) throws -> String {
        let file = folder.appending(path: UUID().uuidString)
        try Data(content.utf8).write(to: file)
        return file.path
    }

    private func refusal(_ receipt: String, keys: String...) throws -> String? {
        do {
            _ = try ErasureReceipt.verified(file(receipt), keys: keys)
            return nil
        } catch let failure as CommandFailure { return failure.description }
    }

    @Test func `says what was removed, to whoever has the public key`() throws {
        let keys = try file(signer.jwks)
        let signed = try signer.sign(Claims(), type: ErasureReceipt.type)

        let receipt = try ErasureReceipt.verified(file(signed + "\n"), keys: [keys])

        #expect(receipt.removed == Claims().removed.mapValues { tables in tables.mapValues { Int64($0) } })
        #expect(
            receipt.lines == [
                "The receipt holds: heartguard has signed it.",
                "erasure 0199f000-0000-7000-8000-000000000001, asked for by the person at 2026-11-28T18:20:00Z, finished at 2026-11-28T21:06:40Z",
                "1,003 rows removed", "  users.sessions: 2", "  users.users: 1", "  vitals.vitals: 1,000",
            ])
    }

    @Test func `is refused when it was changed, is signed with another key or is none, and it is said which`() throws {
        let keys = try file(signer.jwks)
        let signed = try signer.sign(Claims(), type: ErasureReceipt.type)
        let fewer = try signer.sign(Claims(removed: [:]), type: ErasureReceipt.type)
        let stranger = try TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard")
        let parts = signed.split(separator: "."), others = fewer.split(separator: ".")

        #expect(try refusal("\(parts[0]).\(others[1]).\(parts[2])", keys: keys)?.contains("something of it was changed") == true)
        #expect(try refusal(stranger.sign(Claims(), type: ErasureReceipt.type), keys: keys)?.contains("not among the 1 known") == true)
        #expect(try refusal(signer.sign(Claims(), type: "note+jwt"), keys: keys)?.contains("not of the type heartguard-erasure+jwt") == true)
        #expect(try refusal(signer.sign(["iss": "x"], type: ErasureReceipt.type), keys: keys)?.contains("not of the form that is known") == true)
        for text in ["", "{}", "hello", String(signed.dropLast(20))] {
            #expect(try refusal(text, keys: keys)?.contains("no signed statement") == true, "\(text)")
        }
        #expect(try refusal(signed, keys: file("{}"))?.contains("The token keys cannot be used") == true)
        #expect(try refusal(signed, keys: "/nowhere")?.contains("cannot be read") == true)
    }

    @Test func `may say any number of rows`() throws {
        let signed = try signer.sign(Claims(removed: ["users": ["sessions": .max, "users": .max]]), type: ErasureReceipt.type)

        let receipt = try ErasureReceipt.verified(file(signed), keys: [file(signer.jwks)])

        #expect(receipt.lines.contains("9,223,372,036,854,775,807 rows removed"))
    }

    @Test func `is verified with a key that was retired, beside the present one`() throws {
        let retired = try file(signer.jwks)
        let present = try file(TokenSigner(privateKeyPEM: TokenSigner.newPrivateKeyPEM(), issuer: "heartguard").jwks)
        let signed = try signer.sign(Claims(), type: ErasureReceipt.type)

        #expect(try refusal(signed, keys: present)?.contains("--keys") == true)
        #expect(try refusal(signed, keys: present, retired) == nil)
    }
}
