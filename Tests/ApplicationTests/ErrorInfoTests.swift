import Contracts
import Postgres
import RPC
import Testing
import Time

@testable import Application

@Suite struct `An error of a closed list` {
    private enum ClinicError: Error, RPCErrorConvertible {
        case appointmentGone
        case patientUnknown(name: String)
        case closed

        var rpcError: RPCError {
            switch self {
            case .appointmentGone: RPCError(.notFound, "There is no such appointment.")
            case .patientUnknown: .invalid([("name", "Nobody has this name.")])
            case .closed: .quota("clinic", "The clinic is full.", retryAfter: .seconds(2))
            }
        }
    }

    @Test func `is named for programs by its case, and by its service`() throws {
        let error = RPCError.answering(ClinicError.appointmentGone)

        let info = try #require(error.detail(GoogleRPC.ErrorInfo.self))
        #expect(error.code == .notFound)
        #expect(info.reason == "APPOINTMENT_GONE")
        #expect(info.domain == "applicationtests.heartguard")
    }

    @Test func `tells nothing of what its case holds`() throws {
        let error = RPCError.answering(ClinicError.patientUnknown(name: "Ada"))

        let info = try #require(error.detail(GoogleRPC.ErrorInfo.self))
        #expect(info.reason == "PATIENT_UNKNOWN")
        #expect(error.detail(GoogleRPC.BadRequest.self)?.fieldViolations.map(\.field) == ["name"])
        #expect(!String(decoding: error.details, as: UTF8.self).contains("Ada"))
    }

    @Test func `keeps the details that it came with`() throws {
        let error = RPCError.answering(ClinicError.closed)

        #expect(error.detail(GoogleRPC.QuotaFailure.self)?.violations.map(\.subject) == ["clinic"])
        #expect(error.retryAfterSeconds == 2)
        #expect(error.detail(GoogleRPC.ErrorInfo.self)?.reason == "CLOSED")
        #expect(error.statusDetails?.message == "The clinic is full.")
    }
}

@Suite struct `A call that took too long` {
    private func stage(_ error: RPCError) -> String? {
        let info = error.detail(GoogleRPC.ErrorInfo.self)
        return info?.reason == "WAITED_TOO_LONG" ? info?.metadata["stage"] : nil
    }

    @Test func `names what it waited for`() {
        let late = RPCError(.deadlineExceeded, "Too late.")

        #expect(stage(late.naming([.pool])) == "pool")
        #expect(stage(late.naming([.database, .call])) == "database,call")
        #expect(stage(late.naming([])) == "handler")
    }

    @Test func `names the store that was too slow`() {
        #expect(stage(.answering(PostgresError(.statementTimeout, "Too slow."))) == "database")
        #expect(stage(.answering(PostgresError(.poolTimeout, "All are lent."))) == "pool")
        #expect(stage(.answering(PostgresError(.connectionFailed, "Nobody is there."))) == nil)
    }
}
