/// A whole number of any size, for the sums and products of decimals.
struct WholeNumber: Hashable, Sendable, Comparable {
    /// To base 10¹⁸, the lowest first, without zeros behind the last; none for 0.
    private var groups: [UInt64]
    private(set) var isNegative: Bool

    private static let base: UInt64 = 1_000_000_000_000_000_000
    private static let digitsOfGroup = 18

    static let zero = WholeNumber(groups: [], isNegative: false)

    private init(groups: [UInt64], isNegative: Bool) {
        var groups = groups
        while groups.last == 0 { groups.removeLast() }
        self.groups = groups
        self.isNegative = isNegative && !groups.isEmpty
    }

    init(_ number: Int64) {
        let (quotient, remainder) = number.magnitude.quotientAndRemainder(dividingBy: Self.base)
        self.init(groups: [remainder, quotient], isNegative: number < 0)
    }

    /// Decimal digits, and nothing else.
    init(digits: some BidirectionalCollection<UInt8>, isNegative: Bool) {
        var groups: [UInt64] = []
        var rest = digits[...]
        while !rest.isEmpty {
            groups.append(rest.suffix(Self.digitsOfGroup).reduce(0) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) })
            rest = rest.dropLast(Self.digitsOfGroup)
        }
        self.init(groups: groups, isNegative: isNegative)
    }

    /// Its digits without a sign.
    var digits: String {
        guard let last = groups.last else { return "0" }
        return groups.dropLast().reversed().reduce(String(last)) { text, group in
            let digits = String(group)
            return text + String(repeating: "0", count: Self.digitsOfGroup - digits.utf8.count) + digits
        }
    }

    func times(_ factor: Int64) -> WholeNumber {
        var carry: UInt64 = 0
        var product = groups.map { group in
            var (high, low) = group.multipliedFullWidth(by: factor.magnitude)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            low = sum
            if overflow { high += 1 }
            // A group is below the base, so the quotient fits.
            let (quotient, remainder) = Self.base.dividingFullWidth((high, low))
            carry = quotient
            return remainder
        }
        while carry > 0 {
            product.append(carry % Self.base)
            carry /= Self.base
        }
        return WholeNumber(groups: product, isNegative: isNegative != (factor < 0))
    }

    func timesTen(toThe power: Int) -> WholeNumber {
        var product = self
        for _ in 0..<power / 18 { product = product.times(Int64(Self.base)) }
        return product.times((0..<power % 18).reduce(1) { power, _ in power * 10 })
    }

    /// Divided by the divisor, which is positive, and by a power of ten. Rounded once: to the nearest, and from the middle away from zero.
    func divided(by divisor: Int64, andTenToThe power: Int = 0) -> WholeNumber {
        precondition(divisor > 0, "a divisor is positive")
        let (quotient, remainder) = quotient(by: divisor.magnitude)
        let isRoundedUp: Bool
        let whole: WholeNumber
        if power == 0 {
            whole = quotient
            isRoundedUp = remainder >= divisor.magnitude - remainder
        } else {
            // The first digit that is left out decides, whatever the remainder adds behind the last.
            let digits = Array(quotient.digits.utf8)
            whole = WholeNumber(digits: digits.dropLast(power), isNegative: isNegative)
            isRoundedUp = digits.count >= power && digits[digits.count - power] >= UInt8(ascii: "5")
        }
        return isRoundedUp ? WholeNumber(groups: WholeNumber.sum(whole.groups, [1]), isNegative: isNegative) : whole
    }

    /// Without what is left over.
    private func quotient(by divisor: UInt64) -> (WholeNumber, remainder: UInt64) {
        var remainder: UInt64 = 0
        var quotient = groups
        for index in groups.indices.reversed() {
            let (high, low) = remainder.multipliedFullWidth(by: Self.base)
            let (sum, overflow) = low.addingReportingOverflow(groups[index])
            (quotient[index], remainder) = divisor.dividingFullWidth((overflow ? high + 1 : high, sum))
        }
        return (WholeNumber(groups: quotient, isNegative: isNegative), remainder)
    }

    static func + (left: WholeNumber, right: WholeNumber) -> WholeNumber {
        guard left.isNegative != right.isNegative else {
            return WholeNumber(groups: sum(left.groups, right.groups), isNegative: left.isNegative)
        }
        guard isSmaller(left.groups, right.groups) else {
            return WholeNumber(groups: difference(left.groups, right.groups), isNegative: left.isNegative)
        }
        return WholeNumber(groups: difference(right.groups, left.groups), isNegative: right.isNegative)
    }

    static func < (left: WholeNumber, right: WholeNumber) -> Bool {
        guard left.isNegative == right.isNegative else { return left.isNegative }
        return left.isNegative ? isSmaller(right.groups, left.groups) : isSmaller(left.groups, right.groups)
    }

    private static func isSmaller(_ left: [UInt64], _ right: [UInt64]) -> Bool {
        left.count == right.count ? left.reversed().lexicographicallyPrecedes(right.reversed()) : left.count < right.count
    }

    private static func sum(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
        var carry: UInt64 = 0
        return (0...max(left.count, right.count)).map { index in
            let sum = carry + (index < left.count ? left[index] : 0) + (index < right.count ? right[index] : 0)
            carry = sum / base
            return sum % base
        }
    }

    /// The first is not the smaller.
    private static func difference(_ left: [UInt64], _ right: [UInt64]) -> [UInt64] {
        var borrowed: UInt64 = 0
        return left.indices.map { index in
            let taken = borrowed + (index < right.count ? right[index] : 0)
            borrowed = taken > left[index] ? 1 : 0
            return left[index] + borrowed * base - taken
        }
    }
}
