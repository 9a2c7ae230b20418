/// An enum of a contract. Every number is a value of it, those that only a newer contract names as well.
package protocol ContractEnum: RawRepresentable, CaseIterable, Hashable, Sendable where RawValue == Int32 {
    init(rawValue: Int32)
}
