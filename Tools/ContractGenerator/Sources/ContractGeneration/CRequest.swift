internal import SwiftProtobuf
package import SwiftProtobufPluginLibrary

/// Rewrites a request for protoc-gen-c, so that the C it makes can hold everything proto3 says.
///
/// protoc-gen-c 1.4.1 knows proto3 from before `optional`. Each change here answers one gap; docs/contracts.md lists
/// them, and the Swift generator knows the C that results:
/// - `optional` becomes the oneof of one field that it already is on the wire;
/// - a float or double without presence becomes such a oneof too, because protobuf-c takes -0.0 for absent;
/// - key and value of a map entry become such oneofs, because every other implementation writes both, even when zero;
/// - services and extensions are dropped, and with them the imports that only they needed.
package enum CRequest {
    package static func rewritten(
        _ request: Google_Protobuf_Compiler_CodeGeneratorRequest
    ) -> Google_Protobuf_Compiler_CodeGeneratorRequest {
        var request = request
        request.protoFile = request.protoFile.map(rewritten)
        request.sourceFileDescriptors = []
        return request
    }

    static func rewritten(_ file: Google_Protobuf_FileDescriptorProto) -> Google_Protobuf_FileDescriptorProto {
        // descriptor.proto is proto2 and only ever a dependency; its C++ copy in protoc-gen-c wants it unchanged.
        guard file.syntax == "proto3" else { return file }
        var file = file
        file.service = []
        file.extension = []
        file.sourceCodeInfo.location = file.sourceCodeInfo.location.filter { location in
            // 6 and 7 are the services and extensions of a file: their comments lost their subject.
            location.path.first != 6 && location.path.first != 7
        }
        file.messageType = file.messageType.map(rewritten)
        keepOnlyUsedImports(of: &file)
        return file
    }

    private static func rewritten(_ message: Google_Protobuf_DescriptorProto) -> Google_Protobuf_DescriptorProto {
        var message = message
        let isMapEntry = message.options.mapEntry
        message.options.mapEntry = false
        message.extension = []
        message.nestedType = message.nestedType.map(rewritten)
        for index in message.field.indices {
            if message.field[index].proto3Optional {
                message.field[index].proto3Optional = false
            } else if isMapEntry || needsExplicitPresence(message.field[index]) {
                message.field[index].oneofIndex = Int32(message.oneofDecl.count)
                var oneof = Google_Protobuf_OneofDescriptorProto()
                oneof.name = presenceOneofName(forField: message.field[index].name)
                message.oneofDecl.append(oneof)
            }
        }
        return message
    }

    private static func needsExplicitPresence(_ field: Google_Protobuf_FieldDescriptorProto) -> Bool {
        field.label != .repeated && !field.hasOneofIndex && (field.type == .float || field.type == .double)
    }

    /// The oneof of one field that carries its presence, named as protoc names those of `optional`.
    static func presenceOneofName(forField name: String) -> String { "_" + name }

    private static func keepOnlyUsedImports(of file: inout Google_Protobuf_FileDescriptorProto) {
        var used: Set<String> = []
        func visit(_ message: Google_Protobuf_DescriptorProto) {
            for field in message.field where !field.typeName.isEmpty { used.insert(field.typeName) }
            for nested in message.nestedType { visit(nested) }
        }
        for message in file.messageType { visit(message) }

        // Options come from files whose types no field names. A package is enough to tell them apart.
        let optionFiles: Set<String> = ["google/protobuf/descriptor.proto"]
        let kept = file.dependency.filter { path in
            !optionFiles.contains(path) && used.contains { name in name.hasPrefix(packagePrefix(ofFile: path)) }
        }
        file.dependency = kept
        file.publicDependency = []
        file.weakDependency = []
    }

    /// ".google.protobuf." for "google/protobuf/any.proto": in this repository a package is its path.
    private static func packagePrefix(ofFile path: String) -> String {
        "." + path.split(separator: "/").dropLast().joined(separator: ".") + "."
    }
}
