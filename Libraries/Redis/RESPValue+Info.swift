extension RESPValue {
    /// A line of INFO's answer, `name:value`.
    package func infoField(_ name: String) -> String? {
        text?.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }.map { String($0.dropFirst(name.count + 1)) }
    }
}
