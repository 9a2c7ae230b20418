internal import Time

/// Tells whether two indexes hold the same writings of the same rows, in whichever order these came: the sum of a number for each.
///
/// The numbers are the same in every process and at every start. It is made to show an accident, of which it misses one in 2^64, and not somebody
/// who looks for rows that add up; what is told of a row is its id and its version, so it says nothing of vectors or words.
struct ContentsDigest: Hashable, Sendable {
    /// 0 of nothing.
    private(set) var value: UInt64 = 0

    mutating func add(_ id: DocumentID, _ version: RowVersion) { value &+= Self.number(of: id, version) }

    mutating func remove(_ id: DocumentID, _ version: RowVersion) { value &-= Self.number(of: id, version) }

    /// 64-bit FNV-1a over the id's bytes, into which the two parts of the version are mixed.
    private static func number(of id: DocumentID, _ version: RowVersion) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in id.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for part in [version.position, version.changedAt.microsecondsSinceEpoch] {
            hash = mixed(hash ^ UInt64(bitPattern: part))
        }
        return mixed(hash)
    }

    /// The last step of SplitMix64, after which neighbours are far apart: sums of what FNV-1a alone makes of them would be near each other.
    private static func mixed(_ number: UInt64) -> UInt64 {
        var number = number &+ 0x9E37_79B9_7F4A_7C15
        number = (number ^ (number >> 30)) &* 0xBF58_476D_1CE4_E5B9
        number = (number ^ (number >> 27)) &* 0x94D0_49BB_1331_11EB
        return number ^ (number >> 31)
    }
}
