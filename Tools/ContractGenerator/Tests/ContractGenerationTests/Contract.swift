import ContractGeneration
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A small contract, as protoc would hand it to the plugin: one file with messages and one service.
struct Contract {
    var file = Google_Protobuf_FileDescriptorProto()

    init(package: String = "heartguard.tests.v1") {
        file.name = package.split(separator: ".").joined(separator: "/") + "/tests.proto"
        file.package = package
        file.syntax = "proto3"
    }

    mutating func message(_ name: String, _ fields: [Google_Protobuf_FieldDescriptorProto] = []) {
        var message = Google_Protobuf_DescriptorProto()
        message.name = name
        for var field in fields {
            if field.proto3Optional {
                var oneof = Google_Protobuf_OneofDescriptorProto()
                oneof.name = "_" + field.name
                field.oneofIndex = Int32(message.oneofDecl.count)
                message.oneofDecl.append(oneof)
            }
            message.field.append(field)
        }
        file.messageType.append(message)
    }

    static func field(
        _ name: String, _ number: Int32, _ type: Google_Protobuf_FieldDescriptorProto.TypeEnum = .string,
        isOptional: Bool = false, isRepeated: Bool = false, options: [UInt8] = []
    ) throws -> Google_Protobuf_FieldDescriptorProto {
        var field = Google_Protobuf_FieldDescriptorProto()
        field.name = name
        field.jsonName = name
        field.number = number
        field.type = type
        field.label = isRepeated ? .repeated : .optional
        field.proto3Optional = isOptional
        if !options.isEmpty { field.options = try Google_Protobuf_FieldOptions(serializedBytes: options) }
        return field
    }

    /// A service with one method, whose options are given as protoc gives custom ones: bytes of unknown fields.
    mutating func method(
        _ name: String, takesStream: Bool = false, givesStream: Bool = false, options: [UInt8] = []
    ) throws {
        message(name + "Request", [try Self.field("id", 1)])
        message(name + "Response")
        var method = Google_Protobuf_MethodDescriptorProto()
        method.name = name
        method.inputType = ".\(file.package).\(name)Request"
        method.outputType = ".\(file.package).\(name)Response"
        method.clientStreaming = takesStream
        method.serverStreaming = givesStream
        if !options.isEmpty { method.options = try Google_Protobuf_MethodOptions(serializedBytes: options) }
        var service = Google_Protobuf_ServiceDescriptorProto()
        service.name = name + "Service"
        service.method = [method]
        file.service.append(service)
    }

    var request: Google_Protobuf_Compiler_CodeGeneratorRequest {
        var request = Google_Protobuf_Compiler_CodeGeneratorRequest()
        request.fileToGenerate = [file.name]
        request.protoFile = [file]
        request.parameter = "c_module=CTests,registry=TestsRegistry"
        return request
    }

    var answer: Google_Protobuf_Compiler_CodeGeneratorResponse {
        generateCode(request: request, generator: ContractGenerator())
    }

    /// The Swift of the contract's own file.
    var swift: String { answer.file.first?.content ?? "" }
}

/// The options of proto/heartguard/policy/v1/policy.proto and google/api/annotations.proto on the wire.
enum Option {
    /// access = user, timeout = fast, cost = 2, idempotency = idempotent, audit = read, on_redis_loss = fail open.
    static let policy = policy([0x08, 2, 0x10, 1, 0x18, 2, 0x20, 2, 0x28, 2, 0x30, 1])

    static func policy(_ fields: [UInt8]) -> [UInt8] { delimited(50601, fields) }

    static let phi: [UInt8] = varint(50602 << 3) + [1]
    static let secret: [UInt8] = varint(50603 << 3) + [1]

    static func get(_ path: String) -> [UInt8] { delimited(72_295_728, delimited(2, Array(path.utf8))) }

    private static func delimited(_ field: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(field << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7f) | 0x80] + varint(value >> 7)
    }
}
