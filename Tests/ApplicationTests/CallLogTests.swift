import Logging
import RPC
import Synchronization
import Testing
import Time

@testable import Application

@Suite struct `The log of calls` {
    private static let method = MethodDescriptor(
        service: "heartguard.tests.v1.TestsService", name: "Find", kind: .unary, policy: MethodPolicy(access: .anyone))
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func record(_ error: RPCError?, reachesMethod: Bool = true, requestID: String = "r-1") -> CallRecord {
        let trace = TraceContext(traceparent: Self.trace) ?? .make()
        let context = RPCContext(
            method: Self.method, metadata: ["authorization": "Bearer canary"], peer: "ipv4:10.0.0.7:1", requestID: requestID,
            trace: trace)
        return CallRecord(
            context: reachesMethod ? context : nil, peer: "ipv4:10.0.0.7:1", error: error, duration: .microseconds(250),
            requestBytes: 1, responseBytes: 2, trace: trace)
    }

    private func lines(
        level: Logger.Level = .info, perSecond: Int = 50, of method: MethodDescriptor? = method, _ records: [CallRecord]
    ) -> [String] {
        let written = Written()
        var logger = Logger(label: "test") { label in
            var handler = JSONLogHandler(label: label, write: { line in written.add(line) })
            handler.logLevel = level
            return handler
        }
        logger.logLevel = level
        let meter = CallLog(logger: logger, linesPerSecond: perSecond).meter(of: method)
        for record in records { meter.ended(record) }
        return written.all
    }

    @Test func `has one line for a call that failed, with its trace`() {
        let lines = lines([record(RPCError(.notFound, "canary"))])

        #expect(lines.count == 1)
        for part in [
            #""level":"info""#, #""message":"call failed""#, #""code":"NOT_FOUND""#, #""duration_us":"250""#,
            #""method":"/heartguard.tests.v1.TestsService/Find""#, #""request_id":"r-1""#,
            #""trace_id":"0af7651916cd43dd8448eb211c80319c""#,
        ] { #expect(lines[0].contains(part)) }
    }

    @Test func `names what a call waited for that was ended from outside`() {
        let ended = record(RPCError(.cancelled, "The caller cancelled the call."))
        ended.context?.scope.entered(.pool)

        #expect(lines([ended])[0].contains(#""stage":"pool""#))
        ended.context?.scope.left(.pool)
        #expect(!lines([ended])[0].contains("stage"))
    }

    @Test func `writes no more of a request's name than is short and plain`() {
        let kept = String(repeating: "a", count: 128)

        let lines = lines([record(RPCError(.notFound, "No."), requestID: "é" + kept + String(repeating: "b", count: 15_000))])

        #expect(lines[0].contains(#""request_id":"\#(kept)""#))
        #expect(lines[0].utf8.count < 1_000)
    }

    @Test func `has no line for a call that succeeded, unless it is asked for all`() {
        #expect(lines([record(nil)]).isEmpty)
        #expect(lines(level: .debug, [record(nil)]).count == 1)
    }

    @Test(arguments: [
        (StatusCode.internalError, "error"), (.unknown, "error"), (.dataLoss, "error"), (.unavailable, "warning"),
        (.deadlineExceeded, "warning"), (.resourceExhausted, "warning"), (.invalidArgument, "info"), (.cancelled, "info"),
    ])
    func `tells our failures from those of callers`(code: StatusCode, level: String) {
        #expect(lines([record(RPCError(code, "No."))])[0].contains(#""level":"\#(level)""#))
    }

    @Test func `takes what cannot be read, or reached no method, for its sender's doing`() {
        let malformed = MalformedMessage(messageName: "tests.Find", reason: "It ends too soon.")
        let unreadable = lines([record(RPCError(.internalError, "Unreadable.", cause: malformed))])
        let nowhere = lines(of: nil, [record(RPCError(.unimplemented, "No method /canary."), reachesMethod: false)])

        #expect(unreadable[0].contains(#""level":"info""#))
        #expect(nowhere[0].contains(#""level":"info""#))
        #expect(nowhere[0].contains(#""method":"_OTHER""#))
        #expect(nowhere[0].contains(#""trace_id":"0af7651916cd43dd8448eb211c80319c""#))
    }

    @Test func `holds nothing that a caller sent, and no address`() {
        struct Leaky: Error { let text = "canary" }

        let all = lines(
            level: .debug,
            [
                record(RPCError(.internalError, "canary", cause: Leaky())), record(RPCError(.unimplemented, "canary"), reachesMethod: false),
                record(nil),
            ])

        #expect(all.count == 3)
        #expect(!all.contains { $0.contains("canary") || $0.contains("10.0.0.7") })
    }

    @Test func `is bounded, and caller's mistakes take no line from our own`() {
        let theirs = Array(repeating: record(RPCError(.notFound, "No.")), count: 10)

        let lines = lines(perSecond: 3, theirs + [record(RPCError(.internalError, "No."))])

        #expect(lines.filter { $0.contains("NOT_FOUND") }.count == 3)
        #expect(lines.filter { $0.contains("INTERNAL") }.count == 1)
    }
}

@Suite struct `An allowance of lines` {
    @Test func `counts what it left out and says so with the next line`() {
        let start = ContinuousClock.now
        var allowance = LogAllowance(perSecond: 2)

        let first = (0..<5).map { allowance.ask(at: start + .milliseconds($0)) }
        let next = (0..<2).map { allowance.ask(at: start + .seconds(1) + .milliseconds($0)) }

        #expect(first == [.write(leftOut: 0), .write(leftOut: 0), .leaveOut, .leaveOut, .leaveOut])
        #expect(next == [.write(leftOut: 3), .write(leftOut: 0)])
    }
}

private final class Written: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
