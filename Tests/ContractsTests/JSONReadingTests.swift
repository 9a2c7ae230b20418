@testable import Contracts
import JSON
import RPC
import Testing

@Suite struct `JSON from outside` {
    @Test(arguments: [
        ("heartguard.users.v1.RegisterRequest", #"{"emial": "x"}"#, "emial"),
        ("heartguard.users.v1.RegisterRequest", #"{"email": 3}"#, "email"),
        ("heartguard.users.v1.RegisterRequest", #"{"sex": "SEX_NONE"}"#, "sex"),
        (
            "heartguard.vitals.v1.RecordObservationsRequest",
            #"{"observations": [{}, {"quantity": {"unit": "mg/dL", "size": 1}}]}"#, "observations[1].quantity.size"
        ),
        (
            "heartguard.vitals.v1.RecordObservationsRequest",
            #"{"observations": [{"effectiveAt": "yesterday"}]}"#, "observations[0].effective_at"
        ),
        ("heartguard.vitals.v1.ListObservationsRequest", #"{"pageSize": 2147483648}"#, "page_size"),
        ("heartguard.vitals.v1.ListObservationsRequest", #"{"pageSize": 1.5}"#, "page_size"),
        ("heartguard.vitals.v1.ListObservationsRequest", #"{"pageSize": 1, "page_size": 2}"#, "page_size"),
        ("heartguard.vectors.v1.SearchRequest", #"{"embedding": [1, null]}"#, "embedding[1]"),
        ("heartguard.vectors.v1.SearchRequest", #"{"filter": {"source": 1}}"#, #"filter["source"]"#),
    ])
    func `that does not fit its message is refused with the path of the field`(
        message: String, json: String, path: String
    ) throws {
        let bridge = try #require(JSONBridge(message))

        #expect {
            try bridge.bytes(ofJSON: Array(json.utf8))
        } throws: { error in
            (error as? JSONMappingError)?.path == path
        }
    }

    @Test(arguments: [
        "", "{", "{]", "{\"a\":1,}", "[1,]", "{'a':1}", "nul", "01", "1.", "-", "\"\u{1}\"", #""\ud800""#, "{} {}",
        #"{"a":1,"a":2}"#, String(repeating: "[", count: 200), "\"abc", #"{"a" 1}"#, "+1", "NaN",
    ])
    func `that is no JSON is refused`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func `keeps the digits of a number and the characters of a string`() throws {
        let value = try JSONParser.parse(Array(#"[9007199254740993, "\u00e9\ud83d\ude00\/"]"#.utf8))

        #expect(value == .array([.number("9007199254740993"), .string("é😀/")]))
    }

    @Test func `takes whole numbers written with a point or an exponent, and 64 bits as a string`() throws {
        let bridge = try #require(JSONBridge("heartguard.vitals.v1.Observation"))

        #expect(
            try VitalsV1.Observation(decoding: bridge.bytes(ofJSON: Array(#"{"sequence": "9223372036854775807"}"#.utf8)))
                .sequence == .max)
        #expect(
            try VitalsV1.Observation(decoding: bridge.bytes(ofJSON: Array(#"{"sequence": 1e3}"#.utf8))).sequence == 1_000)
    }

    @Test(arguments: [
        ("1.0", 1), ("-10.50e1", -105), ("9007199254740993.0", 9_007_199_254_740_993), ("922337203685477580.7e1", .max),
        ("100e-2", 1), ("-9223372036854775808", .min), ("0.000", 0), ("0e-60", 0), ("-0.0", 0), ("10E+2", 1_000),
    ] as [(String, Int64)])
    func `reads whole numbers to the last digit`(digits: String, number: Int64) throws {
        let bridge = try #require(JSONBridge("heartguard.vitals.v1.Observation"))

        for json in ["{\"sequence\": \(digits)}", "{\"sequence\": \"\(digits)\"}"] {
            #expect(try VitalsV1.Observation(decoding: bridge.bytes(ofJSON: Array(json.utf8))).sequence == number)
        }
    }

    @Test(arguments: ["1.5", "1e-1", "5e-3", "9223372036854775808.0", "1e19", "1e65", "1e999999999999999999999", "1.", ".5", "+1", " 1", "1e", "0x10", "1_0", "١"])
    func `refuses what is no whole number that fits`(text: String) throws {
        let bridge = try #require(JSONBridge("heartguard.vitals.v1.Observation"))

        #expect(throws: JSONMappingError.self) { try bridge.bytes(ofJSON: Array("{\"sequence\": \"\(text)\"}".utf8)) }
    }
}

@Suite struct `Parameters of a path and a query` {
    private let method = ContractRegistry.methods.first { $0.descriptor.name == "ListObservations" }
    private let latest = ContractRegistry.methods.first { $0.descriptor.name == "GetLatestObservations" }

    @Test func `become fields, whatever their kind`() throws {
        let bytes = try #require(method).request(
            json: [], parameters: [("code", ["8867-4"]), ("start_at", ["2026-02-21T08:30:00Z"]), ("pageSize", ["7"])])

        let request = try VitalsV1.ListObservationsRequest(decoding: bytes)
        #expect(request.code == "8867-4")
        #expect(request.startAt?.seconds == 1_771_662_600)
        #expect(request.pageSize == 7)
    }

    @Test func `given several times are a repeated field`() throws {
        let bytes = try #require(latest).request(json: [], parameters: [("codes", ["a", "b"])])

        #expect(try VitalsV1.GetLatestObservationsRequest(decoding: bytes).codes == ["a", "b"])
    }

    @Test func `that the message does not have are refused by name`() throws {
        let method = try #require(method)

        #expect {
            try method.request(json: [], parameters: [("limit", ["7"])])
        } throws: { error in
            (error as? JSONMappingError)?.path == "limit"
        }
    }
}

@Suite struct `A field mask in JSON` {
    @Test(arguments: [
        (["display_name", "sex"], "displayName,sex"), ([], ""), (["a.b_c"], "a.bC"), (["*"], "*"),
    ])
    func `is its paths in camel case`(paths: [String], text: String) {
        #expect(WellKnownText.fieldMask(paths) == text)
    }

    @Test(arguments: ["", "a,b", "aB", "a__b", "_", "a_", "ä", "a..b", "**", "a.*"])
    func `has no text when a path would not come back as it was`(path: String) {
        #expect(WellKnownText.fieldMask(["sex", path]) == nil)
    }

    @Test(arguments: [
        ("displayName,sex", ["display_name", "sex"]), ("", []), ("a.bC", ["a.b_c"]), ("*", ["*"]), (",", nil), ("a,", nil), (",a", nil), ("a,,b", nil),
        ("display_name", nil), ("a b", nil), ("ä", nil), ("a.", nil), ("**", nil),
    ] as [(String, [String]?)])
    func `is read in camel case alone`(text: String, paths: [String]?) {
        let read: [String]? = WellKnownText.fieldMask(text)

        #expect(read == paths)
    }
}

@Suite struct `Bytes in JSON` {
    @Test(arguments: ["+/8=", "-_8", "+_8="])
    func `are read from either alphabet, with padding and without`(text: String) throws {
        let bridge = try #require(JSONBridge("heartguard.users.v1.UploadAvatarRequest"))
        var expected = WireWriter()
        expected.lengthDelimited(1, [0xFB, 0xFF])

        #expect(try bridge.bytes(ofJSON: Array("{\"content\":\"\(text)\"}".utf8)) == expected.bytes)
    }

    @Test(arguments: ["+/8=x", "+/8=+/8=", "+/8==", "+", "ä"])
    func `that are no base64 to their end are refused`(text: String) throws {
        let bridge = try #require(JSONBridge("heartguard.users.v1.UploadAvatarRequest"))

        #expect(throws: JSONMappingError.self) { try bridge.bytes(ofJSON: Array("{\"content\":\"\(text)\"}".utf8)) }
    }
}

@Suite struct `A time in JSON` {
    @Test(arguments: [
        ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
        ("1970-01-01T01:00:00.5+01:00", 0, 500_000_000), ("1969-12-31T23:59:59.1Z", -1, 100_000_000),
    ] as [(String, Int64, Int64)])
    func `has up to nine digits behind its seconds and any offset`(text: String, seconds: Int64, nanos: Int64) {
        let read = WellKnownText.timestamp(text)

        #expect(read?.seconds == seconds)
        #expect(read?.nanos == nanos)
    }

    @Test(arguments: [
        "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2016-12-31T23:59:60Z", "2026-02-21T08.5:30:00Z",
        "2026-02-21T08:30:00Z.5", "2026-02-21T08:30:00+01.5:00", "2026-02-21T08:30:00.5.5Z", "2026-02-21T08:30:00.Z", "2026-02-21T08:30:00.1234567890Z",
        "2026-02-21T08:30:00", "2026-02-21T08:30:00.5", "2026-02-21 08:30:00Z", "2026-02-21t08:30:00Z", "2026-02-21T08:30:00z", "2026-02-29T08:30:00Z", "",
    ])
    func `in another form, or that no Timestamp can be, is refused`(text: String) {
        #expect(WellKnownText.timestamp(text) == nil)
    }
}

@Suite struct `A duration in JSON` {
    @Test(arguments: [
        ("1s", 1, 0), ("-1.5s", -1, -500_000_000), ("-0.000000001s", 0, -1), ("315576000000s", 315_576_000_000, 0),
    ] as [(String, Int64, Int64)])
    func `is seconds with up to nine digits behind them`(text: String, seconds: Int64, nanos: Int64) {
        let read = WellKnownText.duration(text)

        #expect(read?.seconds == seconds)
        #expect(read?.nanos == nanos)
    }

    @Test(arguments: ["--1s", "+1s", "-s", "s", "", "1", ".5s", "1.s", "1.0000000001s", "1.5.5s", "1.-5s", "1e3s", "315576000001s", "-315576000001s"])
    func `in another form, or that no Duration can be, is refused`(text: String) {
        #expect(WellKnownText.duration(text) == nil)
    }

    @Test(arguments: [(1, -1), (-1, 1), (315_576_000_001, 0), (0, 1_000_000_000)] as [(Int64, Int64)])
    func `has no text where the message is none`(seconds: Int64, nanos: Int64) {
        #expect(WellKnownText.duration(seconds: seconds, nanos: nanos) == nil)
    }
}
