import Testing

@testable import RPC

@Suite struct `An answer on its way` {
    @Test func `begins with headers once and ends with trailers once`() {
        var stream = ServerStream()

        let sending = stream.send()
        #expect(sending == .headersFirst)
        let sending2 = stream.send()
        #expect(sending2 == .messageAlone)
        let ending = stream.end()
        #expect(ending == .trailers)
        let sending3 = stream.send()
        #expect(sending3 == .nothing)
        let ending2 = stream.end()
        #expect(ending2 == .nothing)
    }

    @Test func `that has no message is only trailers`() {
        var stream = ServerStream()

        let ending = stream.end()
        #expect(ending == .trailersOnly)
        #expect(stream.isEnded)
    }

    @Test func `whose headers could not be written may still be only trailers`() {
        var stream = ServerStream()

        _ = stream.send()
        stream.unsend()

        let ending = stream.end()
        #expect(ending == .trailersOnly)
    }

    @Test func `says nothing more once its stream is gone`() {
        var stream = ServerStream()

        stream.abandon()

        let sending = stream.send()
        #expect(sending == .nothing)
        let ending = stream.end()
        #expect(ending == .nothing)
    }
}
