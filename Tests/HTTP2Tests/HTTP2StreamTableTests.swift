import HTTP2
import Testing

@Suite struct `A table of streams` {
    @Test func `holds what a dictionary would, whatever comes and goes`() {
        var table = HTTP2StreamTable<Int>()
        var expected: [HTTP2StreamID: Int] = [:]
        var random = SplitMix(seed: 20_261_125)

        for step in 0..<20_000 {
            let stream = HTTP2StreamID(random.next() % 600) * 2 + 1
            if random.next() % 2 == 0 {
                table[stream] = step
                expected[stream] = step
            } else {
                let removed = table.removeValue(for: stream)
                #expect(removed == expected.removeValue(forKey: stream))
            }
            #expect(table.count == expected.count)
            let other = HTTP2StreamID(random.next() % 600) * 2 + 1
            #expect(table[other] == expected[other])
        }

        #expect(Dictionary(uniqueKeysWithValues: table.elements.map { ($0.stream, $0.value) }) == expected)
    }

    @Test func `finds streams that outlive many others`() {
        var table = HTTP2StreamTable<String>()
        table[1] = "long"

        for stream in stride(from: HTTP2StreamID(3), to: 40_001, by: 2) {
            table[stream] = "short"
            table[stream] = nil
        }

        #expect(table[1] == "long")
        #expect(table.count == 1)
        #expect(table[3] == nil)
    }
}

/// Random numbers that are the same in every run (Steele, Lea and Flood's SplitMix64).
private struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
