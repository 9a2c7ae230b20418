internal import Crypto

extension SHA256Digest {
    /// As sha256sum(1) prints it.
    var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
