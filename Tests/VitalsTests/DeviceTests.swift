internal import Contracts
internal import RPC
internal import RecordTestSupport
internal import Testing

@testable internal import Vitals

@Suite struct `A device` {
    private let request = VitalsV1.RegisterDeviceRequest(
        kind: .glucoseMonitor, platform: "dexcom", name: "Ada's sensor", serialNumber: "G7-0001")

    @Test func `is registered as it was described, and active`() async throws {
        try await withVitals { vitals in
            let response = try await vitals.registerDevice(request, context: Caller().context)

            let device = try #require(response.device)
            #expect(response.created)
            #expect(device.kind == .glucoseMonitor)
            #expect(device.platform == "dexcom")
            #expect(device.name == "Ada's sensor")
            #expect(device.serialNumber == "G7-0001")
            #expect(device.active)
            #expect(device.createdAt != nil)
        }
    }

    @Test func `is registered once by its serial number, and each person has their own`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            var renamed = request
            renamed.name = "Another name"

            let first = try await vitals.registerDevice(request, context: ada.context)
            let second = try await vitals.registerDevice(renamed, context: ada.context)
            let other = try await vitals.registerDevice(request, context: Caller().context)

            #expect(!second.created)
            #expect(second.device == first.device)
            #expect(other.created)
            #expect(other.device?.id != first.device?.id)
        }
    }

    @Test func `is registered once by many who do so at the same moment`() async throws {
        try await withVitals { vitals in
            let ada = Caller()

            let responses = try await withThrowingTaskGroup(of: VitalsV1.RegisterDeviceResponse.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await vitals.registerDevice(request, context: ada.context) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }

            #expect(responses.count { $0.created } == 1)
            #expect(Set(responses.map(\.device?.id)).count == 1)
        }
    }

    @Test func `is listed to its owner, newest first`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            let ids = [
                try await vitals.registerWatch("SN-1", for: ada), try await vitals.registerWatch("SN-2", for: ada),
            ]
            _ = try await vitals.registerWatch(for: Caller())

            let devices = try await vitals.listDevices(.init(), context: ada.context).devices

            #expect(devices.map(\.id) == ids.reversed())
        }
    }

    @Test func `is one of two hundred at most`() async throws {
        try await withVitals { vitals in
            let ada = Caller()
            for number in 0..<DeviceRepository.maxDevices { _ = try await vitals.registerWatch("\(number)", for: ada) }

            await expect(.resourceExhausted) { try await vitals.registerWatch("one more", for: ada) }

            _ = try await vitals.registerWatch("7", for: ada)
        }
    }

    @Test func `has a kind, a platform, a name and a serial number`() async throws {
        try await withVitals { vitals in
            await expect(.invalidArgument, fields: ["kind", "platform", "name", "serial_number"]) {
                try await vitals.registerDevice(
                    .init(platform: " ", name: "a\u{7}", serialNumber: String(repeating: "x", count: 129)),
                    context: Caller().context)
            }
        }
    }
}
