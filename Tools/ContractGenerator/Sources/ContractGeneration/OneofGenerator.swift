internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// Writes the enum of a oneof, and the statements that move it between the Swift value and the C struct.
struct OneofGenerator {
    private let oneof: OneofDescriptor
    private let shapes: [FieldShape]

    init(_ oneof: OneofDescriptor) {
        self.oneof = oneof
        shapes = oneof.fields.map(FieldShape.init)
    }

    var name: String { Naming.member(oneof.name) }
    var type: String { "OneOf_" + Naming.upperCamel(oneof.name) }
    private var cCase: String { "c.pointee.\(oneof.name.lowercased())_case.rawValue" }

    func write(to source: inout SourceText) {
        source.line()
        source.documentation(of: oneof)
        source.block("package enum \(type): Sendable, Equatable") { source in
            for shape in shapes {
                source.documentation(of: shape.field)
                let containsItself =
                    shape.field.type == .message && shape.field.messageType.contains(oneof.containingType)
                source.line("\(containsItself ? "indirect " : "")case \(shape.name)(\(shape.elementType))")
            }
        }
    }

    func writeCopying(to source: inout SourceText) {
        source.block("switch unsafe \(cCase)") { source in
            for shape in shapes {
                let value = shape.copiedOrDefault(shape.cMember)
                source.line("case \(shape.field.number): self.\(name) = \(shape.attempt)unsafe .\(shape.name)(\(value))")
            }
            source.line("default: self.\(name) = nil")
        }
    }

    func writePlacing(to source: inout SourceText) {
        source.block("switch self.\(name)") { source in
            for shape in shapes {
                source.line("case .\(shape.name)(let value):")
                source.line("    unsafe \(cCase) = \(shape.field.number)")
                source.line("    " + shape.place("value", in: shape.cMember))
            }
            source.line("case nil: break")
        }
    }
}
