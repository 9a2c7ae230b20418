import Snapshots
import TestSupport
import Testing

@Suite struct `A byte reader` {
    @Test func `takes out what a writer put in`() throws {
        var writer = ByteWriter()
        writer.append(Int64.min)
        writer.append(UInt8(7))
        for number in [0, 127, 128, 300, 1 << 40] { writer.appendShort(number) }
        writer.append("Ménière")
        writer.append("")
        writer.append([UInt32.max, 1])

        var reader = ByteReader(writer.bytes)

        #expect(try reader.number(Int64.self) == .min)
        #expect(try reader.number(UInt8.self) == 7)
        for number in [0, 127, 128, 300, 1 << 40] { #expect(try reader.shortNumber() == number) }
        #expect(try reader.text() == "Ménière")
        #expect(try reader.text() == "")
        #expect(try reader.numbers() == [UInt32.max, 1])
        #expect(reader.isAtEnd)
    }

    @Test func `refuses what it cannot read, and never traps`() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            var reader = ByteReader(bytes)
            do throws(SnapshotError) {
                while !reader.isAtEnd {
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: _ = try reader.number(UInt64.self)
                    case 1: _ = try reader.shortNumber()
                    case 2: _ = try reader.text()
                    default: _ = try reader.numbers()
                    }
                }
            } catch {
                #expect(error.code == .damaged)
            }
        }
    }
}
