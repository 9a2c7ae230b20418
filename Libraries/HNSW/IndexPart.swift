/// What an index consists of: runs of plain values in the processor's byte order, without pointers.
///
/// An index can be made again from its parts, byte by byte the same: it finds the same, and what is inserted next gets the same place.
/// Where the parts are kept, and how it is known that they are whole, is the caller's affair.
package enum IndexPart: UInt32, Sendable, CaseIterable {
    /// Counts, the entry, and what is handed out next: whole numbers of 64 bits.
    case state = 1
    /// By slot, the key as 64 bits; all ones where there is none.
    case keys = 2
    case vectors = 3
    case codes = 4
    case codeTerms = 5
    /// Each slot's neighbours on layer 0.
    case links = 6
    /// The blocks of the layers above.
    case upperLinks = 7
    case firstBlocks = 8
    case heights = 9
}
