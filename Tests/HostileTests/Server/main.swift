import Foundation
import Logging
import RPC

/// A server for tests that break the rules: methods of every kind that carry bytes, with limits that tests can wait for.
/// It prints its port, and serves until it is ended.
var configuration = RPCServerConfiguration(host: "127.0.0.1", port: 0)
configuration.maxSendMessageBytes = 4 << 20
configuration.maxConnectionUnfinishedBytes = 16 << 20
configuration.maxUnfinishedBytes = 32 << 20
configuration.handshakeTimeout = .seconds(2)
configuration.keepaliveInterval = .seconds(2)
configuration.keepaliveTimeout = .seconds(2)

// Benchmarks/windows.py compares windows of one size with windows that grow.
let environment = ProcessInfo.processInfo.environment
if let bytes = environment["STREAM_WINDOW_BYTES"].flatMap({ Int($0) }) { configuration.streamWindowBytes = bytes }
if let bytes = environment["MAX_STREAM_WINDOW_BYTES"].flatMap({ Int($0) }) { configuration.maxStreamWindowBytes = bytes }

let server = RPCServer(
    configuration: configuration,
    services: [HostileService()],
    logger: Logger(label: "hostile") { _ in SwiftLogNoOpLogHandler() }
)
try await server.run { _, port in FileHandle.standardOutput.write(Data("\(port)\n".utf8)) }
