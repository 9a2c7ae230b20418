extension AnyContractMethod {
    /// The numbers of the request's single texts that are not marked as PHI, by their names in the contract, in the order of their numbers.
    package var plainTexts: [(name: String, number: Int)] {
        let fields = requestFields
        return fields.filter { $0.kind == .string && !$0.isRepeated && !$0.isPHI }.map { ($0.name, $0.number) }
    }
}
