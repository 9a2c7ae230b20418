internal import SwiftProtobufPluginLibrary

/// Writes what a service needs: its methods with their policy, the protocol a server implements, and a client.
struct ServiceGenerator {
    private let service: ServiceDescriptor
    private let methods: [Method]
    private let namespace: String

    private struct Method {
        let descriptor: MethodDescriptor
        let policy: Policy
        let routes: [HTTPRoutes.Route]
        var name: String { Naming.member(descriptor.name) }
        var input: String { Naming.swiftType(descriptor.inputType) }
        var output: String { Naming.swiftType(descriptor.outputType) }
        var kind: String {
            switch (descriptor.clientStreaming, descriptor.serverStreaming) {
            case (false, false): "unary"
            case (false, true): "serverStreaming"
            case (true, false): "clientStreaming"
            case (true, true): "bidirectional"
            }
        }
    }

    init(_ service: ServiceDescriptor) throws(ContractFault) {
        self.service = service
        namespace = Naming.namespace(ofPackage: service.file.package)
        var methods: [Method] = []
        for descriptor in service.methods {
            methods.append(
                Method(
                    descriptor: descriptor, policy: try Policy(of: descriptor),
                    routes: try HTTPRoutes(of: descriptor).routes))
        }
        self.methods = methods
    }

    func write(to source: inout SourceText) {
        source.block("extension \(namespace)") { source in
            writeMethods(to: &source)
            source.line()
            writeProtocol(to: &source)
            source.line()
            writeClient(to: &source)
        }
        source.line()
        writeHandlers(to: &source)
    }

    /// The lines of the registry: one for each method.
    var registryEntries: [String] {
        methods.map { method in
            "AnyContractMethod(\(namespace).\(service.name)Methods.\(method.name), schema: schema)"
        }
    }

    private func writeMethods(to source: inout SourceText) {
        source.line("/// The methods of \(service.fullName), with what the contract says about each.")
        source.block("package enum \(service.name)Methods") { source in
            for method in methods {
                source.documentation(of: method.descriptor)
                source.line("package static let \(method.name) = RPC.Method<\(method.input), \(method.output)>(")
                source.line("    RPC.MethodDescriptor(")
                source.line("        service: \"\(service.fullName)\", name: \"\(method.descriptor.name)\", kind: .\(method.kind),")
                source.line("        policy: \(method.policy.expression),")
                let routes = method.routes.map {
                    "RPC.HTTPRoute(method: \"\($0.method)\", path: \"\($0.path)\", body: \"\($0.body)\")"
                }
                source.line("        routes: [\(routes.joined(separator: ", "))]))")
            }
            source.line()
            let all = methods.map { $0.name + ".descriptor" }.joined(separator: ", ")
            source.line("package static let all: [RPC.MethodDescriptor] = [\(all)]")
        }
    }

    private func writeProtocol(to source: inout SourceText) {
        source.documentation(of: service)
        source.block("package protocol \(service.name)Protocol: RPCService") { source in
            for method in methods {
                source.documentation(of: method.descriptor)
                source.line(serverSignature(method))
            }
        }
    }

    private func serverSignature(_ method: Method) -> String {
        let request =
            method.descriptor.clientStreaming
            ? "_ requests: RequestStream<\(method.input)>" : "_ request: \(method.input)"
        guard method.descriptor.serverStreaming else {
            return "func \(method.name)(\(request), context: RPCContext) async throws -> \(method.output)"
        }
        return
            "func \(method.name)(\(request), responses: ResponseWriter<\(method.output)>, context: RPCContext) async throws"
    }

    private func writeHandlers(to source: inout SourceText) {
        source.block("extension \(namespace).\(service.name)Protocol") { source in
            source.line("package static var serviceName: String { \"\(service.fullName)\" }")
            source.line()
            source.block("package var handlers: [MethodHandler]") { source in
                source.line("[")
                for method in methods {
                    let request = method.descriptor.clientStreaming ? "requests" : "request"
                    let isStreaming = method.descriptor.serverStreaming
                    let parameters = isStreaming ? "\(request), responses, context" : "\(request), context"
                    let arguments = isStreaming ? "\(request), responses: responses, context: context" : "\(request), context: context"
                    source.line("    .\(method.kind)(\(namespace).\(service.name)Methods.\(method.name)) { \(parameters) in")
                    source.line("        try await self.\(method.name)(\(arguments))")
                    source.line("    },")
                }
                source.line("]")
            }
        }
    }

    private func writeClient(to source: inout SourceText) {
        source.line("/// Calls \(service.fullName) through a channel.")
        source.block("package struct \(service.name)Client: Sendable") { source in
            source.line("package let channel: RPCChannel")
            source.line()
            source.line("package init(_ channel: RPCChannel) { self.channel = channel }")
            for method in methods {
                source.line()
                source.documentation(of: method.descriptor)
                if method.kind == "unary" { writeUnaryCall(method, to: &source) } else { writeStreamingCall(method, to: &source) }
            }
        }
    }

    private func writeUnaryCall(_ method: Method, to source: inout SourceText) {
        source.line("package func \(method.name)(")
        source.line("    _ request: \(method.input), options: CallOptions = CallOptions()")
        source.block(") async throws(RPCError) -> \(method.output)") { source in
            source.line("try await channel.unary(\(reference(method)), request, options: options)")
        }
    }

    /// The streams of a call live as long as the closure that reads and writes them.
    private func writeStreamingCall(_ method: Method, to source: inout SourceText) {
        let writer = "RequestWriter<\(method.input)>"
        let reader = "ResponseStream<\(method.output)>"
        guard method.descriptor.serverStreaming else {
            source.line("package func \(method.name)(")
            source.line("    options: CallOptions = CallOptions(), _ body: @escaping @Sendable (\(writer)) async throws -> Void")
            source.block(") async throws(RPCError) -> UnaryResponse<\(method.output)>") { source in
                source.line("try await channel.clientStreaming(\(reference(method)), options: options, body)")
            }
            return
        }
        let takesStream = method.descriptor.clientStreaming
        source.line("package func \(method.name)<Result: Sendable>(")
        source.line("    \(takesStream ? "" : "_ request: \(method.input), ")options: CallOptions = CallOptions(),")
        source.line("    _ body: @Sendable (\(takesStream ? "\(writer), " : "")\(reader)) async throws -> Result")
        source.block(") async throws -> Result") { source in
            let request = takesStream ? "" : "request, "
            source.line("try await channel.\(method.kind)(\(reference(method)), \(request)options: options, body)")
        }
    }

    private func reference(_ method: Method) -> String { "\(namespace).\(service.name)Methods.\(method.name)" }
}
