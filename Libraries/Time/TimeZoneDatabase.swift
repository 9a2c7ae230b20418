internal import FoundationEssentials
internal import Synchronization

/// The tz database that the machine has: `Europe/Berlin` and the like. Each zone is read once.
package final class TimeZoneDatabase: Sendable {
    package static let system = TimeZoneDatabase(folder: "/usr/share/zoneinfo")

    private let folder: String
    private let known = Mutex<[String: LocalTime]>([:])

    package init(folder: String) { self.folder = folder }

    /// `nil` if the database has no zone of this name.
    package func zone(_ name: String) -> LocalTime? {
        guard Self.isName(name) else { return nil }
        if let zone = known.withLock({ $0[name] }) { return zone }
        // A file that cannot be read is a zone that is not there.
        guard let bytes = try? Data(contentsOf: URL(filePath: "\(folder)/\(name)")), let zone = LocalTime(tzif: Array(bytes)) else {
            return nil
        }
        known.withLock { $0[name] = zone }
        return zone
    }

    /// Letters, digits, and `_ + -` between slashes: nothing that leads out of the folder.
    private static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count) else { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { byte in
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                        || "_+-".utf8.contains(byte)
                }
        }
    }
}
