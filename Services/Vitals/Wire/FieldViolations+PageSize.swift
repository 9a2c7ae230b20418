internal import Application

extension FieldViolations {
    /// How many a page holds: what was asked for, or the usual number for 0.
    mutating func pageSize(_ asked: Int32, usual: Int, most: Int) -> Int? {
        value("page_size", Int(asked)) { asked throws(InvalidValue) in
            guard (0...most).contains(asked) else { throw InvalidValue("must be 1 to \(most), or 0 for \(usual)") }
            return asked == 0 ? usual : asked
        }
    }
}
