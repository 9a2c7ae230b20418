internal import ContractGeneration
internal import Foundation
internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

// A protoc plugin that rewrites the request and lets protoc-gen-c answer it.
let input = FileHandle.standardInput.readDataToEndOfFile()
let request = try Google_Protobuf_Compiler_CodeGeneratorRequest(serializedBytes: input)
let rewritten: Data = try CRequest.rewritten(request).serializedBytes()

let generator = Process()
generator.executableURL = URL(fileURLWithPath: "/usr/bin/env")
generator.arguments = ["protoc-gen-c"]
let stdin = Pipe()
let stdout = Pipe()
generator.standardInput = stdin
generator.standardOutput = stdout
try generator.run()
// protoc-gen-c reads its whole input before it writes, so writing first cannot block for ever.
try stdin.fileHandleForWriting.write(contentsOf: rewritten)
try stdin.fileHandleForWriting.close()
let answer = stdout.fileHandleForReading.readDataToEndOfFile()
generator.waitUntilExit()
guard generator.terminationStatus == 0 else { exit(generator.terminationStatus) }

// protoc-gen-c does not say that it supports `optional`, and after the rewriting nothing of it is left.
var response = try Google_Protobuf_Compiler_CodeGeneratorResponse(serializedBytes: answer)
response.supportedFeatures |= UInt64(Google_Protobuf_Compiler_CodeGeneratorResponse.Feature.proto3Optional.rawValue)
try FileHandle.standardOutput.write(contentsOf: response.serializedBytes() as Data)
