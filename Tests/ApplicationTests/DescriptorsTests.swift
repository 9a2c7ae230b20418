import Testing

@testable import Application

@Suite struct `The descriptors of a process` {
    @Test func `are as many as its soft limit says`() {
        let limits = """
            Limit                     Soft Limit           Hard Limit           Units
            Max processes             127235               127235               processes
            Max open files            1024                 524288               files
            Max locked memory         8388608              8388608              bytes
            """

        #expect(Descriptors.softLimit(in: limits) == 1_024)
        #expect(Descriptors.softLimit(in: limits.replacing("1024 ", with: "unlimited")) == nil)
        #expect(Descriptors.softLimit(in: "") == nil)
        #expect(Descriptors.most > 0)
    }
}
