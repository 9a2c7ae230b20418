import Foundation
import TestSupport
import Testing
@testable import Postgres

private struct Pulse: RowDecodable, Equatable {
    let person: Int
    let beats: Int

    init(person: Int, beats: Int) {
        self.person = person
        self.beats = beats
    }

    init(row: Row) throws(PostgresError) {
        person = try row.decode("person")
        beats = try row.decode("beats")
    }
}

extension Statement<Pulse> {
    fileprivate static func pulses(above beats: Int) -> Self {
        .reading("SELECT person, beats FROM pulses WHERE beats > \(beats) ORDER BY person", tier: .normal)
    }

    fileprivate static func lock(_ person: Int) -> Self {
        .writing("SELECT person, beats FROM pulses WHERE person = \(person) FOR UPDATE")
    }

    fileprivate static var nonsense: Self { .reading("SELECT person, beats FROM pulses WHERE") }
}

extension Statement<Void> {
    fileprivate static func put(_ pulse: Pulse) -> Self {
        .writing("INSERT INTO pulses (person, beats) VALUES (\(pulse.person), \(pulse.beats))", tier: .slow)
    }

    fileprivate static func mistakenPut(_ pulse: Pulse) -> Self {
        .reading("INSERT INTO pulses (person, beats) VALUES (\(pulse.person), \(pulse.beats))")
    }
}

@Suite struct `A statement` {
    private let ada = Pulse(person: 1, beats: 61)
    private let bob = Pulse(person: 2, beats: 88)

    private func withPulses(_ body: (Postgres) async throws -> Void) async throws {
        try await PostgresServer.shared.withPostgres { postgres in
            try await postgres.execute("CREATE TABLE pulses (person bigint PRIMARY KEY, beats smallint NOT NULL)")
            try await body(postgres)
        }
    }

    @Test func `is run by its name`() async throws {
        try await withPulses { postgres in
            #expect(try await postgres.execute(.put(ada)) == 1)
            try await postgres.execute(.put(bob))

            #expect(try await postgres.rows(.pulses(above: 60)) == [ada, bob])
            #expect(try await postgres.first(.pulses(above: 61)) == bob)
            #expect(try await postgres.first(.pulses(above: 90)) == nil)
        }
    }

    @Test func `runs with others in one transaction, and each has its own answer`() async throws {
        try await withPulses { postgres in
            let (put, pulses, more) = try await postgres.batch(.put(ada), .pulses(above: 0), .pulses(above: 100))

            #expect(put.rowsAffected == 1)
            #expect(try pulses.rows() == [ada])
            #expect(try more.first() == nil)
            await #expect(throws: PostgresError.self) { try await postgres.batch(.put(bob), .put(bob)) }
            #expect(try await postgres.rows(.pulses(above: 0)) == [ada])
        }
    }

    @Test func `runs in a transaction that is open`() async throws {
        try await withPulses { postgres in
            let pulses = try await postgres.transaction { transaction in
                try await transaction.execute(.put(ada))
                let locked = try await transaction.first(.lock(ada.person))
                #expect(locked == ada)
                return try await transaction.rows(.pulses(above: 0))
            }

            #expect(pulses == [ada])
        }
    }

    @Test func `that says that it reads cannot write, alone or with others that read`() async throws {
        try await withPulses { postgres in
            await #expect(throws: PostgresError.self) { try await postgres.execute(.mistakenPut(ada)) }
            await #expect(throws: PostgresError.self) {
                try await postgres.batch(.pulses(above: 0), .mistakenPut(ada))
            }

            let kept = try await postgres.rows(.pulses(above: 0))
            #expect(kept == [])
        }
    }

    @Test func `tells its columns without being run`() async throws {
        try await withPulses { postgres in
            let columns = try await postgres.columns(of: .lock(1))
            let none = try await postgres.columns(of: .put(ada))

            #expect(columns == [ResultColumn(name: "person", type: .int8), ResultColumn(name: "beats", type: .int2)])
            #expect(none == [])
            #expect(try await postgres.rows(.pulses(above: 0)) == [])
        }
    }

    @Test func `that the server cannot parse says so, and the connection serves on`() async throws {
        try await withPulses { postgres in
            let error = await #expect(throws: PostgresError.self) { try await postgres.columns(of: .nonsense) }

            #expect(error?.sqlState == "42601")
            let kept = try await postgres.rows(.pulses(above: 0))
            #expect(kept == [])
        }
    }

    @Test func `knows where it is declared`() {
        let declaration = Statement.pulses(above: 0).declaration

        #expect("\(declaration)" == "PostgresTests/StatementTests.swift:23 pulses(above:)")
    }
}
