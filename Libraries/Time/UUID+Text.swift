package import FoundationEssentials

extension UUID {
    /// The id as RFC 9562 (section 4) writes it, in small letters: `01a22a8d-0219-7000-9e67-941f63c9bbb5`. Ids stand in every answer, in lists a hundred
    /// times; `uuidString` has capitals and goes through printf.
    package var text: String {
        unsafe String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            unsafe withUnsafeBytes(of: uuid) { bytes in
                for index in 0..<16 {
                    let byte = unsafe bytes[index]
                    if index == 4 || index == 6 || index == 8 || index == 10 {
                        unsafe text[place] = UInt8(ascii: "-")
                        place += 1
                    }
                    unsafe text[place] = (byte >> 4).hexadecimalDigit
                    unsafe text[place + 1] = (byte & 15).hexadecimalDigit
                    place += 2
                }
            }
            return place
        }
    }
}
