internal import InteropContracts

extension GRPCTesting.Payload {
    static func zeros(_ count: Int) -> GRPCTesting.Payload {
        GRPCTesting.Payload(body: [UInt8](repeating: 0, count: count))
    }
}

extension GRPCTesting.Payload? {
    /// Throws unless these are so many zeros.
    func check(zeros count: Int) throws(TestFailure) {
        let body = self?.body ?? []
        try expect(body.count == count, "A payload should have \(count) bytes, and has \(body.count).")
        try expect(body.allSatisfy { $0 == 0 }, "A payload of \(count) bytes is not all zeros.")
    }
}

extension GRPCTesting.SimpleRequest {
    /// What large_unary and those after its pattern send.
    static var large: GRPCTesting.SimpleRequest {
        GRPCTesting.SimpleRequest(responseSize: 314_159, payload: .zeros(271_828))
    }
}

extension GRPCTesting.StreamingOutputCallRequest {
    init(sizes: [Int32], payload: Int? = nil) {
        self.init(responseParameters: sizes.map { .init(size: $0) }, payload: payload.map { .zeros($0) })
    }
}
