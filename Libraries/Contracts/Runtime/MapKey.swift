/// A key of a map, in the order in which entries are written.
package protocol MapKey: Hashable {
    static func areInOrder(_ a: Self, _ b: Self) -> Bool
}

extension MapKey where Self: Comparable {
    package static func areInOrder(_ a: Self, _ b: Self) -> Bool { a < b }
}

extension Int32: MapKey {}
extension Int64: MapKey {}
extension UInt32: MapKey {}
extension UInt64: MapKey {}

extension Bool: MapKey {
    package static func areInOrder(_ a: Bool, _ b: Bool) -> Bool { !a && b }
}

extension String: MapKey {
    /// By their bytes, as protobuf's other implementations sort.
    package static func areInOrder(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
