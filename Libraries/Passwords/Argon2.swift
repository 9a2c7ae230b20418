internal import CArgon2

/// The only calls into libargon2. Each blocks its thread for tens of milliseconds and allocates the memory that the
/// parameters name; the library keeps no state between calls, so threads may call it side by side.
enum Argon2 {
    /// Argon2id of a password, `PasswordHash.tagBytes` long by default.
    static func tag(
        of password: [UInt8], salt: [UInt8], parameters: Argon2Parameters, count: Int = PasswordHash.tagBytes
    ) throws(PasswordsError) -> [UInt8] {
        var tag = [UInt8](repeating: 0, count: count)
        let code = unsafe tag.withUnsafeMutableBytes { tag in
            unsafe password.withUnsafeBytes { password in
                unsafe salt.withUnsafeBytes { salt in
                    unsafe argon2id_hash_raw(
                        parameters.iterations, parameters.memoryKiB, parameters.parallelism,
                        password.baseAddress, password.count, salt.baseAddress, salt.count, tag.baseAddress, tag.count)
                }
            }
        }
        guard code == ARGON2_OK.rawValue else {
            let reason = unsafe String(cString: argon2_error_message(code))
            throw PasswordsError(code: .argon2(code), message: "Hashing a password failed: \(reason).")
        }
        return tag
    }

    /// Whether a password has this hash. Compares without stopping at the first byte that differs.
    static func matches(_ password: [UInt8], _ hash: PasswordHash) throws(PasswordsError) -> Bool {
        let tag = try tag(of: password, salt: hash.salt, parameters: hash.parameters, count: hash.tag.count)
        var difference: UInt8 = 0
        for index in tag.indices { difference |= tag[index] ^ hash.tag[index] }
        return difference == 0
    }
}
