@testable import Gateway
import Testing

@Suite struct `An anonymous caller` {
    @Test(arguments: [("ipv4:10.0.0.7:51022", "ipv4:10.0.0.7"), ("ipv6:::1:9", "ipv6:::1"), ("", "")])
    func `is counted by its address without the port`(peer: String, key: String) {
        #expect(RateLimiting.host(of: peer) == key)
    }
}
