internal import Crypto
internal import Foundation
internal import JSON
internal import Time

/// Reads the file of a person's export, a line at a time, and believes nothing of it: each line is JSON of one of the forms that an export
/// has, the rows are of one person, and in the end the file is what its last line says of it.
struct RecordsFile {
    enum Line: Equatable {
        /// What the rows of a table have.
        case table(String, columns: [String])
        /// A record, with the line that it stands in.
        case record(String, line: String)
        /// A message of an archived conversation.
        case archivedMessage(session: String, line: String)
        /// That there was an archive that could not be read.
        case damagedArchive
    }

    static let mostLineBytes = 64 << 20

    let export: UUID
    let person: UUID
    /// Of the line that was read last, from 1.
    private(set) var number = 0
    private(set) var counts: [String: Int] = [:]
    private let bytes: FileBytes
    private var digest = SHA256()
    private var columns: [String: [String]] = [:]

    /// Reads the first line.
    init(_ file: URL) throws {
        bytes = try FileBytes(file)
        // What is longer, or no JSON, is no such file either, and is said so.
        let first = (try? bytes.line(most: 4_096)) ?? []
        let head = (try? JSONParser.parse(first))?["export"]
        guard head?["format"]?.text == "heartguard-records/1", let export = head?["id"]?.text.flatMap(UUID.init(uuidString:)),
            let person = head?["person"]?.text.flatMap(UUID.init(uuidString:))
        else {
            throw CommandFailure("line 1: this is no export in JSON Lines (heartguard-records/1). `heartguard records import` takes in FHIR.")
        }
        self.export = export
        self.person = person
        number = 1
        take(first)
    }

    /// How many bytes have been read.
    var offset: UInt64 { bytes.offset }

    /// The next line; `nil` behind the last, if the file is what that says.
    mutating func next() throws -> Line? {
        let start = bytes.offset
        guard let line = try read() else {
            throw CommandFailure("the file ends behind line \(number), at byte \(start.shown), without its manifest: it was cut off.")
        }
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONParser.parse(line) } catch { throw failure(error.sentence) }
        guard case .object(let members) = value else { throw failure("it is no object.") }
        switch members.map(\.name) {
        case ["manifest"]:
            try verify(members[0].value, at: start)
            return nil
        case ["table", "columns", "left_out"]:
            take(line)
            return try table(members[0].value, members[1].value)
        case ["type", "record"]:
            take(line)
            return try record(members[0].value, members[1].value, in: line)
        default: throw failure("it is no table, no record and no manifest.")
        }
    }

    /// What is wrong with the line that was read last.
    func failure(_ reason: String) -> CommandFailure { CommandFailure("line \(number.shown): \(reason)") }

    private mutating func read() throws -> [UInt8]? {
        number += 1
        do {
            let line = try bytes.line(most: Self.mostLineBytes)
            if line == nil { number -= 1 }
            return line
        } catch { throw failure("\(error)") }
    }

    private mutating func take(_ line: [UInt8]) {
        digest.update(data: line)
        digest.update(data: [0x0A])
    }

    private mutating func table(_ name: JSONValue, _ described: JSONValue) throws -> Line {
        guard let name = name.text, columns[name] == nil else { throw failure("the table has no name, or is described twice.") }
        let names = described.names ?? []
        columns[name] = names
        return .table(name, columns: names)
    }

    private mutating func record(_ type: JSONValue, _ record: JSONValue, in line: [UInt8]) throws -> Line {
        guard let type = type.text, let names = record.names else { throw failure("the record has no type, or is no object.") }
        counts[type, default: 0] += 1
        switch type {
        case "chat.damaged_archives": return .damagedArchive
        case "chat.archived_messages":
            guard names.first == "session_id", let session = record["session_id"]?.text.flatMap(UUID.init(uuidString:)) else {
                throw failure("the message has no session.")
            }
            return .archivedMessage(session: session.text, line: String(decoding: line, as: UTF8.self))
        default:
            guard let known = columns[type] else { throw failure("the table \(type) was not described before its record.") }
            guard names == known else { throw failure("the record has other columns than were described of \(type).") }
            let owner = record[type == "users.users" ? "id" : "user_id"]?.text.flatMap(UUID.init(uuidString:))
            guard owner == person else { throw failure("the record of \(type) is not of the person whose export this is.") }
            return .record(type, line: String(decoding: line, as: UTF8.self))
        }
    }

    private mutating func verify(_ manifest: JSONValue, at byte: UInt64) throws {
        guard let said = manifest["bytes"]?.count, let sha256 = manifest["sha256"]?.text, let types = manifest["counts"]?.names else {
            throw failure("the manifest is of no form that is known.")
        }
        guard said == Int(byte) else { throw failure("\(byte.shown) bytes are before the manifest, which says \(said.shown): the file was cut or changed.") }
        guard digest.finalize().hexadecimal == sha256 else {
            throw failure("the \(byte.shown) bytes before the manifest have another SHA-256 than it says: something in them was changed.")
        }
        for type in Set(types).union(counts.keys).sorted() {
            let (found, told) = (counts[type] ?? 0, manifest["counts"]?[type]?.count)
            guard found == told else { throw failure("there are \(found.shown) records of \(type), and the manifest says \(told?.shown ?? "nothing of them").") }
        }
        guard try read() == nil else { throw failure("it is behind the manifest, which is the last of an export.") }
    }
}

extension JSONValue {
    fileprivate subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    fileprivate var names: [String]? {
        guard case .object(let members) = self else { return nil }
        return members.map(\.name)
    }

    fileprivate var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    fileprivate var count: Int? {
        guard case .number(let digits) = self else { return nil }
        return Int(digits)
    }
}
