internal import SwiftProtobufPluginLibrary

/// Writes an enum that keeps the numbers it has no name for.
struct EnumGenerator {
    private let type: EnumDescriptor

    init(_ type: EnumDescriptor) { self.type = type }

    func write(to source: inout SourceText) {
        var originals: [Int32: EnumValueDescriptor] = [:]
        for value in type.values where originals[value.number] == nil { originals[value.number] = value }
        let values = type.values.filter { originals[$0.number] === $0 }
        func name(_ value: EnumValueDescriptor) -> String { Naming.enumCase(value.name, of: type.name) }

        source.documentation(of: type)
        source.block("package enum \(Naming.typeName(type.name)): ContractEnum") { source in
            for value in values {
                source.documentation(of: value)
                source.line("case \(name(value))")
            }
            source.line("/// A number that a newer contract has a name for.")
            source.line("case unrecognized(Int32)")
            for value in type.values {
                guard let original = originals[value.number], original !== value else { continue }
                source.line("package static var \(name(value)): Self { .\(name(original)) }")
            }
            source.line()
            source.line("package static var allCases: [Self] { [\(values.map { "." + name($0) }.joined(separator: ", "))] }")
            source.line()
            source.block("package init(rawValue: Int32)") { source in
                source.block("self = switch rawValue") { source in
                    for value in values { source.line("case \(value.number): .\(name(value))") }
                    source.line("default: .unrecognized(rawValue)")
                }
            }
            source.line()
            source.block("package var rawValue: Int32") { source in
                source.block("switch self") { source in
                    for value in values { source.line("case .\(name(value)): \(value.number)") }
                    source.line("case .unrecognized(let number): number")
                }
            }
        }
    }
}
