internal import Foundation
internal import JSON
internal import Testing
internal import Time

@testable internal import FHIR

@Suite struct `A file of FHIR` {
    private static let bundle = """
        {"resourceType":"Bundle", "meta": {"tag": [1, {"a": "]}"}]}, "entry" : [
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p","name":[{"text":"a \\"]}, { b\\\\"}]}} ,
        {"resource":{"resourceType":"Observation","valueQuantity":{"value":1e3}}},{}
        ],"type":"collection", "total": 3}
        """

    /// Reads in pieces of a size.
    private func read(_ text: String, _ form: EntryReader.Form = .bundle, by size: Int, behind place: EntryReader.Place? = nil) throws -> [EntryReader.Piece] {
        var reader = EntryReader(form, behind: place)
        var pieces: [EntryReader.Piece] = []
        var rest = Array(text.utf8)[Int(place?.byte ?? 0)...]
        while !rest.isEmpty {
            var part = rest.prefix(size)
            rest = rest.dropFirst(size)
            while let piece = try reader.next(in: &part) { pieces.append(piece) }
            #expect(part.isEmpty)
        }
        if let piece = try reader.finish() { pieces.append(piece) }
        return pieces
    }

    @Test(arguments: [1, 2, 3, 7, 64, 10_000]) func `has the same entries however it comes`(size: Int) throws {
        let pieces = try read(Self.bundle, by: size)

        let entries = try pieces.map(BundleEntry.init)
        #expect(entries.map(\.type) == ["Patient", "Observation", "Unknown"])
        #expect(entries.map(\.fullURL) == ["urn:uuid:1", nil, nil])
        #expect(entries[0].references == ["urn:uuid:1", "Patient/p"])
        let bytes = Array(Self.bundle.utf8)
        for piece in pieces { #expect(Array(bytes[Int(piece.firstByte)..<Int(piece.end.byte)]) == piece.content) }
    }

    @Test func `is gone on with behind any entry`() throws {
        let whole = try read(Self.bundle, by: 5)

        for (number, piece) in whole.enumerated() { #expect(try read(Self.bundle, by: 3, behind: piece.end) == Array(whole[(number + 1)...])) }
    }

    @Test(arguments: [1, 4, 100]) func `may have a resource a line, the last without its end`(size: Int) throws {
        let text = "\n{\"resourceType\":\"Patient\"}\r\n  {\"resourceType\":\"Observation\",\"id\":\"}{\"}\n\n{\"resourceType\":\"Device\"}"

        let pieces = try read(text, .lines, by: size)

        #expect(try pieces.map { try BundleEntry($0).type } == ["Patient", "Observation", "Device"])
        #expect(try read(text, .lines, by: size, behind: pieces[0].end) == Array(pieces[1...]))
    }

    @Test(arguments: [
        ("", "ends too early"), ("[]", "does not begin with the {"), ("{", "ends too early"), (#"{"resourceType":"Patient","type":"collection"}"#, "no Bundle"),
        (#"{"resourceType":"Bundle","type":"message"}"#, "type of the Bundle"), (#"{"resourceType":"Bundle"}"#, "type of the Bundle"),
        (#"{"entry":{}}"#, "are a list"), (#"{"entry":[1]}"#, "is an object"), (#"{"entry":[{} {}]}"#, "comma or ]"), (#"{"entry":[{},]}"#, "is an object"),
        (#"{"a":1,"a":2}"#, "twice"), (#"{"a" 1}"#, "colon"), (#"{"a":01}"#, "more behind"), (#"{"a":}"#, "ends too early"), (#"{"a":tru}"#, "not JSON"),
        (#"{"resourceType":"Bundle","type":"collection"} x"#, "more behind"), (#"{"a":1 "b":2}"#, "comma or }"),
    ]) func `that is none is refused with the place`(text: String, reason: String) throws {
        let error = #expect(throws: JSONSyntaxError.self) { try read(text, by: 4) }

        #expect(error?.sentence.contains(reason) == true, "\(error?.sentence ?? "")")
    }

    @Test func `says what became of a resource that is not in it any more`() throws {
        let text = #"""
            {"resourceType":"Bundle","entry":[
            {"fullUrl":"http://a/Observation/1/_history/3","request":{"method":"DELETE","url":"Observation/1/_history/3"},"response":{"lastModified":"2024-01-01T00:00:00Z"}},
            {"resource":{"resourceType":"Observation","id":"2","meta":{"lastUpdated":"2024-01-01T00:00:00Z"}},"request":{"method":"PUT","url":"Observation/3"}},
            {"request":{"method":"DELETE","url":"Observation?code=1"}}
            ],"type":"history"}
            """#

        let entries = try read(text, by: 100).map(BundleEntry.init)

        #expect(entries.map(\.isDeleted) == [true, false, true])
        #expect(entries.map(\.references) == [["http://a/Observation/1", "Observation/1"], ["Observation/2"], []])
        #expect(entries.map { $0.lastUpdated?.rfc3339 } == ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", nil])
        #expect(entries.map(\.type) == ["Observation", "Observation", "Unknown"])
    }

    @Test func `says at which byte an entry is no JSON`() throws {
        let text = #"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{}},{"resource":{"a":nul}}]}"#

        let error = #expect(throws: JSONSyntaxError.self) { _ = try read(text, by: 100).map(BundleEntry.init) }

        #expect(error?.position == text.utf8.count - Array(#"nul}}]}"#.utf8).count)
    }

    @Test func `is bounded in its depth, its entries and their size`() throws {
        let deep = #"{"entry":["# + String(repeating: #"{"a":"#, count: 70)
        let large = #"{"entry":[{"a":""# + String(repeating: "x", count: EntryReader.mostBytes)
        for (text, reason) in [(deep, "deeper than 64"), (large, "more than 8388608 bytes")] {
            let error = #expect(throws: JSONSyntaxError.self) { try read(text, by: 1 << 20) }
            #expect(error?.sentence.contains(reason) == true)
        }
        let last = EntryReader.Place(entry: EntryReader.mostEntries - 1, byte: 0)
        var reader = EntryReader(.lines, behind: last)
        var lines = Array("{}\n{}\n".utf8)[...]
        #expect(try reader.next(in: &lines) != nil)
        #expect(throws: JSONSyntaxError.self) { try reader.next(in: &lines) }
    }

    @Test(arguments: ["infant", "adult"]) func `of Synthea has every entry that JSON has`(name: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Samples/fhir/synthea-\(name).json")
        let text = try String(contentsOf: file, encoding: .utf8)
        let whole = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let entries = try #require(whole["entry"] as? [[String: Any]])

        let read = try read(text, by: 4_096).map(BundleEntry.init)

        #expect(read.map(\.type) == entries.map { ($0["resource"] as? [String: Any])?["resourceType"] as? String ?? "" })
        #expect(read.map(\.fullURL) == entries.map { $0["fullUrl"] as? String })
    }
}
