import Testing
@testable import Postgres

@Suite struct `COPY's binary format` {
    private func written() throws -> [UInt8] {
        var writer = CopyWriter(columnCount: 2)
        _ = writer.write { $0.append(Int32(7)); $0.append("ab") }
        _ = writer.write { $0.append(Int32(8)); $0.append(String?.none) }
        return writer.takeChunk() + CopyFormat.trailer
    }

    @Test func `is what the manual says`() throws {
        let bytes = try written()

        let header: [UInt8] = [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let first: [UInt8] = [0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 2, 0x61, 0x62]
        let second: [UInt8] = [0, 2, 0, 0, 0, 4, 0, 0, 0, 8, 0xFF, 0xFF, 0xFF, 0xFF]
        #expect(bytes == header + first + second + [0xFF, 0xFF])
    }

    @Test(arguments: [1, 2, 3, 7, 1_000]) func `is read wherever it is cut`(size: Int) throws {
        let bytes = try written()
        var reader = CopyReader()
        var values: [[[UInt8]?]] = []

        for start in stride(from: 0, to: bytes.count, by: size) {
            reader.received(Array(bytes[start..<min(start + size, bytes.count)]))
            while let row = try reader.nextRow(columnCount: 2) {
                values.append(row.map { $0.map { Array(reader.bytes[$0]) } })
            }
        }

        #expect(values == [[[0, 0, 0, 7], [0x61, 0x62]], [[0, 0, 0, 8], nil]])
        #expect(reader.hasTrailer)
    }

    @Test func `is refused with another signature, width or a lying header`() throws {
        var other = CopyReader()
        other.received([UInt8](repeating: 0x41, count: 40))
        #expect(throws: CopyReader.Malformed.self) { try other.nextRow(columnCount: 2) }

        var wide = CopyReader()
        wide.received(try written())
        #expect(throws: CopyReader.Malformed.self) { try wide.nextRow(columnCount: 3) }

        var endless = CopyReader()
        endless.received(Array(CopyFormat.header.prefix(15)) + [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(throws: CopyReader.Malformed.self) { try endless.nextRow(columnCount: 2) }
    }

    @Test func `is written with one value a column, each of the first row's type`() {
        var writer = CopyWriter(columnCount: 2)

        #expect(writer.write { $0.append(1); $0.append("a") })
        #expect(writer.write { $0.append(Int?.none); $0.append("b") })
        #expect(!writer.write { $0.append(1) })
        var other = CopyWriter(columnCount: 2)
        #expect(other.write { $0.append(1); $0.append("a") })
        #expect(!other.write { $0.append("a"); $0.append(1) })
    }

    @Test func `has the failing row in the last line of the server's context`() {
        #expect(ServerFailure.copyLine(context: "COPY readings, line 3, column value") == 3)
        #expect(ServerFailure.copyLine(context: "PL/pgSQL function check_it() line 9 at RAISE\nCOPY readings, line 12") == 12)
        #expect(ServerFailure.copyLine(context: "PL/pgSQL function check_it(), line 9") == nil)
        #expect(ServerFailure.copyLine(context: "COPY readings") == nil)
    }
}
