internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// Writes the Swift value of one message.
struct MessageGenerator {
    let message: Descriptor
    let registry: String
    private let shapes: [FieldShape]
    private let oneofs: [OneofDescriptor]

    /// protobuf-c's bookkeeping of what was seen, and ours, is kept in bits of this number.
    private static let mostFields = 128

    init(_ message: Descriptor, registry: String) throws(ContractFault) {
        guard message.fields.count <= Self.mostFields else {
            throw ContractFault("\(message.fullName) has more than \(Self.mostFields) fields.")
        }
        self.message = message
        self.registry = registry
        shapes = message.fields.map(FieldShape.init)
        oneofs = message.realOneofs
    }

    private var cType: String { Naming.cType(message.fullName) }

    func write(to source: inout SourceText) throws {
        source.documentation(of: message)
        try source.block("package struct \(Naming.typeName(message.name)): ContractMessage") { source in
            writeProperties(to: &source)
            writeInitialiser(to: &source)
            for oneof in oneofs { OneofGenerator(oneof).write(to: &source) }
            for nested in message.enums {
                source.line()
                EnumGenerator(nested).write(to: &source)
            }
            for nested in message.messages where !nested.options.mapEntry {
                source.line()
                try MessageGenerator(nested, registry: registry).write(to: &source)
            }
            writeConformance(to: &source)
        }
    }

    // MARK: Properties

    private struct Property {
        let name: String
        let type: String
        let defaultValue: String
        let isIndirect: Bool
        let documentation: any ProvidesSourceCodeLocation
        /// What holds the value of a message that contains itself.
        var storage: String { "_" + name.filter { $0 != "`" } }
    }

    /// One for each field and oneof, in the order of the contract.
    private var properties: [Property] {
        var properties: [Property] = []
        var seen: Set<String> = []
        for shape in shapes {
            if let oneof = shape.field.realContainingOneof {
                guard seen.insert(oneof.name).inserted else { continue }
                let generator = OneofGenerator(oneof)
                properties.append(
                    Property(
                        name: generator.name, type: generator.type + "?", defaultValue: "nil", isIndirect: false,
                        documentation: oneof))
            } else {
                properties.append(
                    Property(
                        name: shape.name, type: shape.type, defaultValue: shape.defaultValue,
                        isIndirect: shape.isIndirect, documentation: shape.field))
            }
        }
        return properties
    }

    private func writeProperties(to source: inout SourceText) {
        for property in properties {
            source.documentation(of: property.documentation)
            if property.isIndirect {
                source.block("package var \(property.name): \(property.type)") { source in
                    source.line("get { \(property.storage).value }")
                    source.line("set { \(property.storage) = Indirect(newValue) }")
                }
                source.line("private var \(property.storage) = Indirect<\(property.type.dropLast())>(nil)")
            } else {
                source.line("package var \(property.name): \(property.type) = \(property.defaultValue)")
            }
        }
        source.line("/// Fields that a newer contract has, as they came. They are written back.")
        source.line("package var unknownFields: [UInt8] = []")
        source.line()
        source.line("package init() {}")
    }

    private func writeInitialiser(to source: inout SourceText) {
        guard !properties.isEmpty else { return }
        source.line()
        source.line("package init(")
        let parameters = properties.map { "    \($0.name): \($0.type) = \($0.defaultValue)" }
        source.lines(parameters.dropLast().map { $0 + "," } + [parameters.last ?? ""])
        source.block(")") { source in
            for property in properties { source.line("self.\(property.name) = \(property.name)") }
        }
    }

    // MARK: To and from C

    private func writeConformance(to source: inout SourceText) {
        let function = Naming.cFunctionPrefix(message.fullName) + "__init"
        source.line()
        source.line("package static var fullName: String { \"\(message.fullName)\" }")
        source.line("package static var schema: ContractSchema { \(registry).schema }")
        source.block("package static let layout = unsafe MessageLayout(\(cType).self)") { source in
            source.line("unsafe \(function)($0)")
        }
        source.line()
        source.block("package init(copying message: UnsafeRawPointer) throws(MalformedMessage)") { source in
            if !shapes.isEmpty {
                source.line("let c = unsafe message.assumingMemoryBound(to: \(cType).self)")
            }
            for shape in shapes where shape.presence != .oneof { source.line(shape.copyStatement) }
            for oneof in oneofs { OneofGenerator(oneof).writeCopying(to: &source) }
            source.line("self.unknownFields = unsafe Copy.unknownFields(of: message)")
        }
        source.line()
        source.block(
            "package func place(in arena: inout Arena) throws(MalformedMessage) -> UnsafeMutableRawPointer"
        ) { source in
            source.line("let c = unsafe arena.allocate(\(cType).self)")
            source.line("unsafe \(function)(c)")
            for shape in shapes where shape.presence != .oneof { source.lines(shape.placeStatements) }
            for oneof in oneofs { OneofGenerator(oneof).writePlacing(to: &source) }
            source.line("if !self.unknownFields.isEmpty { try unsafe arena.unknownFields(self.unknownFields, of: c) }")
            source.line("return UnsafeMutableRawPointer(c)")
        }
    }
}