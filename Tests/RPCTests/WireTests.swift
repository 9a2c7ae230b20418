import Testing

@testable import RPC

@Suite struct `The value of grpc-timeout` {
    @Test(arguments: [
        ("1H", Duration.seconds(3_600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
        ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("99999999H", .seconds(99_999_999 * 3_600)), ("0S", .zero),
    ])
    func `is digits and a unit`(text: String, duration: Duration) {
        #expect(WireTimeout.parse(text) == duration)
    }

    @Test(arguments: ["", "S", "1", "1s", "-1S", "+1S", "1 S", "1.5S", "999999999S", "١S", "1SS"])
    func `is refused when it is anything else`(text: String) {
        #expect(WireTimeout.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "1n"), (.seconds(-1), "1n"), (.nanoseconds(1), "1u"), (.microseconds(1_500), "1500u"),
        (.seconds(5), "5000000u"), (.seconds(300), "300000m"), (.seconds(99_999), "99999000m"),
        (.seconds(200_000), "200000S"), (.seconds(200_000_000), "3333334M"), (.seconds(Int64.max), "99999999H"),
    ])
    func `is written in the finest unit that holds it, rounded up`(duration: Duration, text: String) {
        #expect(WireTimeout.format(duration) == text)
    }

    @Test func `never shortens a duration by being written and read`() {
        var generator = Multiplicative(seed: 11)
        for _ in 0..<10_000 {
            let nanoseconds = Int64(truncatingIfNeeded: generator.next() >> (1 + generator.next() >> 59))
            let duration = Duration.nanoseconds(nanoseconds)

            let read = WireTimeout.parse(WireTimeout.format(duration))

            #expect(read.map { $0 >= duration } == true, "\(duration)")
        }
    }
}

@Suite struct `The text of a status` {
    @Test(arguments: [
        ("plain text!", "plain text!"), ("100%", "100%25"), ("a\nb", "a%0Ab"), ("é", "%C3%A9"), ("🙂", "%F0%9F%99%82"), ("~ ~", "~ ~"),
        ("\u{7f}", "%7F"), (" a  ", "%20a %20"), (" ", "%20"),
    ])
    func `is percent-encoded where it is not printable ASCII`(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text) == encoded)
        #expect(PercentEncoding.decode(encoded) == text)
    }

    @Test func `goes without details and without its end where it is too long`() {
        let error = RPCError(
            .notFound, "a" + String(repeating: "ä", count: 4_000), details: [UInt8](repeating: 1, count: 6_000),
            trailers: ["x-more": "here"])

        let sent = StatusTrailers.fitting(error)

        #expect(sent.code == .notFound)
        #expect(sent.message == "a" + String(repeating: "ä", count: 1_023) + "…")
        #expect(sent.details.isEmpty)
        #expect(sent.trailers == ["x-more": "here"])
    }

    @Test func `goes as it is where there is room`() {
        let error = RPCError(.notFound, "None.", details: [UInt8](repeating: 1, count: 5_000))

        let sent = StatusTrailers.fitting(error)

        #expect(sent.message == "None.")
        #expect(sent.details.count == 5_000)
    }

    @Test(arguments: [("50%", "50%"), ("%zz", "%zz"), ("%4", "%4"), ("%c3%a9", "é"), ("%FF", "\u{FFFD}")])
    func `is read as well as it can be when it is badly encoded`(encoded: String, text: String) {
        #expect(PercentEncoding.decode(encoded) == text)
    }
}

@Suite struct `Binary metadata` {
    // The vectors of RFC 4648, section 10.
    @Test(arguments: [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy")])
    func `is base64 without padding, and read with or without`(text: String, encoded: String) {
        let padded = encoded + String(repeating: "=", count: (4 - encoded.utf8.count % 4) % 4)

        #expect(Base64.encode(Array(text.utf8)) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(text.utf8))
        #expect(Base64.decode(padded.utf8) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg===", "Z=g=", "Zm9vY", "Zm 9", "Zm9v=", "Zm-_"])
    func `is refused when it is not base64`(encoded: String) {
        #expect(Base64.decode(encoded.utf8) == nil)
    }

    @Test func `has an alphabet for URLs, which is read beside the other where that is wished`() {
        #expect(Base64.encode([0xFB, 0xEF, 0xFF]) == "++//")
        #expect(Base64.encode([0xFB, 0xEF, 0xFF], forURLs: true) == "--__")
        for text in ["++//", "--__", "+-/_"] { #expect(Base64.decode(inEither: text) == [0xFB, 0xEF, 0xFF]) }
        #expect(Base64.decode(inEither: "Zg==") == [0x66])
        #expect(Base64.decode(inEither: "Zg==Zg==") == nil)
    }

    @Test func `may hold several values, and the first is read even when a proxy joined them`() {
        var metadata = Metadata()
        metadata.add("a-bin", binary: [1, 2])
        metadata.add("b-bin", value: "AQI,AwQ")

        #expect(metadata.binary(for: "a-bin") == [1, 2])
        #expect(metadata.binary(for: "b-bin") == [1, 2])
        #expect(metadata.binary(for: "missing-bin") == nil)
    }
}

@Suite struct `The metadata of a call` {
    @Test func `keeps every value under a name, whatever its case`() {
        var metadata: Metadata = ["X-A": "1", "x-b": "2"]
        metadata.add("x-a", value: "3")

        #expect(metadata["x-a"] == "1")
        #expect(metadata.values(for: "X-A") == ["1", "3"])
        metadata["x-a"] = "4"
        #expect(metadata.values(for: "x-a") == ["4"])
        metadata["X-A"] = nil
        #expect(metadata["x-a"] == nil)
        #expect(metadata["x-b"] == "2")
    }

    @Test(arguments: [
        ["grpc-anything": "1"], [":path": "1"], ["te": "trailers"], ["content-type": "a"], ["": "a"], ["a b": "c"],
        ["a": "line\nbreak"], ["a": "ärger"], ["a-bin": "not base64!"], ["a-bin": "AQI,not base64!"], ["a": String(repeating: "x", count: 50_000)],
    ] as [Metadata])
    func `that cannot be sent says why`(metadata: Metadata) {
        #expect(metadata.firstProblem != nil)
    }

    @Test(arguments: [["x-request-id": "7"], ["a": " ~"], ["a_b.c-d": ""], ["a-bin": "AQI="], ["a-bin": "AQI=,AwQ"], ["authorization": "Bearer x"]] as [Metadata])
    func `of printable ASCII and base64 can be sent`(metadata: Metadata) {
        #expect(metadata.firstProblem == nil)
    }

    @Test func `never shows its values when it is printed`() {
        let metadata: Metadata = ["authorization": "Bearer secret"]

        #expect("\(metadata)" == "[authorization]")
    }
}

/// A generator whose sequence a printed seed brings back (Knuth's MMIX constants).
struct Multiplicative: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state
    }
}
