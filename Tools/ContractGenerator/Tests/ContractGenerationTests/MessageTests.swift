import ContractGeneration
import Foundation
import SwiftProtobuf
import SwiftProtobufPluginLibrary
import Testing

@Suite struct `A field` {
    @Test func `with presence is an Optional, without it has its default`() throws {
        var contract = Contract()
        contract.message(
            "Thing",
            [
                try Contract.field("name", 1, isOptional: true), try Contract.field("size", 2, .int32),
                try Contract.field("weights", 3, .float, isRepeated: true),
            ])

        #expect(contract.swift.contains("package var name: String? = nil"))
        #expect(contract.swift.contains("package var size: Int32 = 0"))
        #expect(contract.swift.contains("package var weights: [Float] = []"))
    }

    @Test(arguments: [("class", "`class`"), ("self", "self_p"), ("init", "init_p"), ("created_at", "createdAt")])
    func `with a word of Swift for a name keeps it as far as Swift can`(name: String, member: String) throws {
        var contract = Contract()
        contract.message("Thing", [try Contract.field(name, 1)])

        #expect(contract.swift.contains("package var \(member): String = \"\""))
    }

    @Test func `marked as health data keeps its mark in the descriptors, which the text of a message heeds`() throws {
        var contract = Contract()
        contract.message("Thing", [try Contract.field("diagnosis", 1, options: Option.phi), try Contract.field("id", 2)])

        let file = try #require(contract.answer.file.first { $0.name == "TestsRegistry+Generated.swift" })
        let lines = file.content.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let start = try #require(lines.firstIndex { $0.hasSuffix("\"\"\"") })
        let base64 = lines[(start + 1)...].prefix { !$0.hasPrefix("\"\"\"") }.joined().replacing("\\", with: "")
        let set = try Google_Protobuf_FileDescriptorSet(serializedBytes: try #require(Data(base64Encoded: base64)))

        let fields = try #require(set.file.first?.messageType.first?.field)
        #expect(fields.map { [UInt8]($0.options.unknownFields.data) } == [Option.phi, []])
    }
}

@Suite struct `A message` {
    @Test func `of more fields than the bookkeeping has bits is refused by name`() throws {
        var contract = Contract()
        contract.message("Wide", try (1...129).map { try Contract.field("f\($0)", Int32($0)) })

        #expect(contract.answer.error == "heartguard.tests.v1.Wide has more than 128 fields.")
    }

    @Test func `is the same text every time`() throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy)
        contract.message("Thing", try (1...20).map { try Contract.field("f\($0)", Int32($0), isOptional: $0 % 2 == 0) })

        let first = try contract.answer.serializedBytes() as [UInt8]
        for _ in 0..<5 { #expect(try contract.answer.serializedBytes() as [UInt8] == first) }
    }
}

@Suite struct `What protoc-gen-c is asked` {
    private func rewritten(_ fields: [Google_Protobuf_FieldDescriptorProto]) throws -> Google_Protobuf_DescriptorProto {
        var contract = Contract()
        contract.message("Thing", fields)
        return try #require(CRequest.rewritten(contract.request).protoFile.first?.messageType.first)
    }

    @Test func `has a oneof of one field for an optional one`() throws {
        let message = try rewritten([try Contract.field("name", 1, isOptional: true)])

        #expect(!message.field[0].proto3Optional)
        #expect(message.field[0].hasOneofIndex)
        #expect(message.oneofDecl.map(\.name) == ["_name"])
    }

    @Test func `has one for a float and a double too, so that minus zero is written`() throws {
        let message = try rewritten([
            try Contract.field("a", 1, .float), try Contract.field("b", 2, .double), try Contract.field("c", 3, .int32),
            try Contract.field("d", 4, .double, isRepeated: true),
        ])

        #expect(message.field.map(\.hasOneofIndex) == [true, true, false, false])
    }

    @Test func `has no services, whose stubs know neither streams nor gRPC`() throws {
        var contract = Contract()
        try contract.method("Find", options: Option.policy)

        #expect(CRequest.rewritten(contract.request).protoFile[0].service.isEmpty)
        #expect(CRequest.rewritten(contract.request).protoFile[0].messageType.count == 2)
    }
}
