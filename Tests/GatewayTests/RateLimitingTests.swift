import Foundation
@testable import Gateway
import Testing

@Suite struct `An anonymous caller` {
    @Test(arguments: [
        ("ipv4:10.0.0.7:51022", "ipv4:10.0.0.7"), ("ipv6:::1:9", "ipv6:0:0:0:0"),
        ("ipv6:2001:db8:7:1:aaaa:bbbb:cccc:dddd:9", "ipv6:2001:db8:7:1"), ("ipv6:2001:db8:7:1::5:9", "ipv6:2001:db8:7:1"),
        ("ipv6:2001:db8::5:9", "ipv6:2001:db8:0:0"), ("ipv6:fe80::1%eth0:9", "ipv6:fe80:0:0:0"),
        ("ipv6:::ffff:10.0.0.7:9", "ipv6:::ffff:10.0.0.7"), ("unix:", "unix"), ("", ""),
        ("ipv6:[2001:db8:7:1::5]:9", "ipv6:2001:db8:7:1"), ("ipv6:[::1]:9", "ipv6:0:0:0:0"), ("ipv6:[fe80::1%eth0]:9", "ipv6:fe80:0:0:0"),
        ("ipv6:[::ffff:10.0.0.7]:9", "ipv6:::ffff:10.0.0.7"),
    ])
    func `is counted by its address without the port, or by its network where it has many addresses`(peer: String, key: String) {
        #expect(RateLimiting.host(of: peer) == key)
    }
}

@Suite struct `A signed-in caller` {
    @Test func `is counted by a name of 22 characters, for a million stand in memory`() {
        let ada = UUID()

        #expect(RateLimiting.key(of: ada).count == 22)
        #expect(RateLimiting.key(of: ada) == RateLimiting.key(of: ada))
        #expect(RateLimiting.key(of: ada) != RateLimiting.key(of: UUID()))
    }
}
