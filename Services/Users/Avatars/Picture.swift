internal import Application

/// A picture that browsers show and that runs nothing: PNG, JPEG or WebP. What it is and how large is read of its own first bytes, never of a name; an SVG,
/// which may hold a program, is none of them.
struct Picture: Hashable, Sendable {
    enum MediaType: String, Hashable, Sendable {
        case png = "image/png", jpeg = "image/jpeg", webp = "image/webp"
    }

    let content: [UInt8]
    let mediaType: MediaType
    let width: Int32
    let height: Int32

    static let mostBytes = 512 * 1_024
    static let mostPixels = 2_048

    init(_ content: [UInt8]) throws(InvalidValue) {
        guard !content.isEmpty else { throw InvalidValue("is needed") }
        guard content.count <= Self.mostBytes else { throw InvalidValue("has more than \(Self.mostBytes) bytes") }
        guard let header = Self.header(of: content) else { throw InvalidValue("is no picture in PNG, JPEG or WebP") }
        guard (1...Self.mostPixels).contains(header.width), (1...Self.mostPixels).contains(header.height) else {
            throw InvalidValue("is not from 1 to \(Self.mostPixels) pixels wide and high")
        }
        self.content = content
        (mediaType, width, height) = (header.type, Int32(header.width), Int32(header.height))
    }

    private typealias Header = (type: MediaType, width: Int, height: Int)

    private static func header(of content: [UInt8]) -> Header? {
        let bytes = PictureBytes(content)
        return png(bytes) ?? webp(bytes) ?? jpeg(bytes)
    }

    /// The signature, and the chunk IHDR, which has to be the first (PNG, sections 5.2 and 11.2.2). The last is IEND.
    private static func png(_ bytes: PictureBytes) -> Header? {
        guard bytes.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], at: 0), bytes.bigEndian(4, at: 8) == 13, bytes.has("IHDR", at: 12),
            bytes.has("IEND", at: bytes.count - 8), let width = bytes.bigEndian(4, at: 16), let height = bytes.bigEndian(4, at: 20)
        else { return nil }
        return (.png, width, height)
    }

    /// RIFF with as many bytes as it says, and one of the three kinds of first chunk (RFC 9649, section 2).
    private static func webp(_ bytes: PictureBytes) -> Header? {
        guard bytes.has("RIFF", at: 0), bytes.has("WEBP", at: 8), bytes.littleEndian(4, at: 4) == bytes.count - 8 else { return nil }
        if bytes.has("VP8 ", at: 12), bytes.has([0x9D, 0x01, 0x2A], at: 23), let width = bytes.littleEndian(2, at: 26),
            let height = bytes.littleEndian(2, at: 28)
        {
            return (.webp, width & 0x3FFF, height & 0x3FFF)
        }
        if bytes.has("VP8L", at: 12), bytes.has([0x2F], at: 20), let packed = bytes.littleEndian(4, at: 21) {
            return (.webp, (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
        }
        if bytes.has("VP8X", at: 12), let width = bytes.littleEndian(3, at: 24), let height = bytes.littleEndian(3, at: 27) {
            return (.webp, width + 1, height + 1)
        }
        return nil
    }

    /// From marker to marker to the beginning of the frame, which says how large it is (ITU-T T.81, annex B). The last marker is EOI.
    private static func jpeg(_ bytes: PictureBytes) -> Header? {
        guard bytes.has([0xFF, 0xD8], at: 0), bytes.has([0xFF, 0xD9], at: bytes.count - 2) else { return nil }
        var place = 2
        while let marker = bytes.bigEndian(2, at: place), let length = bytes.bigEndian(2, at: place + 2), length >= 2 {
            // Any number of fill bytes may stand before a marker.
            if marker == 0xFFFF {
                place += 1
                continue
            }
            // SOF0 to SOF15 without DHT, JPG and DAC.
            if (0xFFC0...0xFFCF).contains(marker), ![0xFFC4, 0xFFC8, 0xFFCC].contains(marker) {
                guard let height = bytes.bigEndian(2, at: place + 5), let width = bytes.bigEndian(2, at: place + 7) else { return nil }
                return (.jpeg, width, height)
            }
            // Segments before the frame: tables, what programs write, comments.
            guard (0xFFC4...0xFFFE).contains(marker), marker != 0xFFDA, !(0xFFD0...0xFFD9).contains(marker) else { return nil }
            place += 2 + length
        }
        return nil
    }
}

/// Bytes that are read at places that may not be there.
private struct PictureBytes {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var count: Int { bytes.count }

    func has(_ expected: [UInt8], at place: Int) -> Bool {
        place >= 0 && place + expected.count <= count && bytes[place..<(place + expected.count)].elementsEqual(expected)
    }

    func has(_ expected: StaticString, at place: Int) -> Bool { has(Array("\(expected)".utf8), at: place) }

    func bigEndian(_ size: Int, at place: Int) -> Int? {
        guard place >= 0, place + size <= count else { return nil }
        return bytes[place..<(place + size)].reduce(0) { $0 << 8 | Int($1) }
    }

    func littleEndian(_ size: Int, at place: Int) -> Int? {
        guard place >= 0, place + size <= count else { return nil }
        return bytes[place..<(place + size)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
