@testable import Application
import Contracts
import Testing

@Suite struct `The descriptor index` {
    private let index = DescriptorIndex(fileDescriptorSet: ContractRegistry.fileDescriptorSet)

    @Test func `lists the services of the contracts`() {
        #expect(index.services.contains("heartguard.users.v1.UsersService"))
        #expect(index.services.contains("grpc.health.v1.Health"))
    }

    @Test(arguments: [
        ("heartguard.users.v1.User", "heartguard/users/v1/users.proto"),
        ("heartguard.users.v1.User.email", "heartguard/users/v1/users.proto"),
        ("heartguard.users.v1.UsersService.LogIn", "heartguard/users/v1/users_service.proto"),
        ("heartguard.users.v1.Sex", "heartguard/users/v1/users.proto"),
        ("heartguard.users.v1.SEX_FEMALE", "heartguard/users/v1/users.proto"),
        ("grpc.health.v1.HealthCheckResponse.ServingStatus", "grpc/health/v1/health.proto"),
        ("heartguard.policy.v1.policy", "heartguard/policy/v1/policy.proto"),
    ])
    func `finds the file of a symbol`(symbol: String, file: String) {
        #expect(index.file(ofSymbol: symbol) == file)
    }

    @Test func `finds an extension by its number`() {
        #expect(
            index.file(ofExtension: 50601, of: "google.protobuf.MethodOptions") == "heartguard/policy/v1/policy.proto")
        #expect(index.extensionNumbers(of: "google.protobuf.MethodOptions")?.contains(50601) == true)
        #expect(index.extensionNumbers(of: "nothing.Such") == nil)
    }

    @Test func `gives a file with everything that it needs, itself first and none twice`() throws {
        let files = try #require(index.closure(ofFile: "heartguard/users/v1/users_service.proto"))

        let names = files.map { WireReader($0[...]).first { $0.number == 1 }?.text }
        #expect(names.first == "heartguard/users/v1/users_service.proto")
        #expect(names.contains("google/api/http.proto"))
        #expect(Set(names).count == names.count)
    }

    @Test func `survives bytes that are no descriptors`() {
        let index = DescriptorIndex(fileDescriptorSet: [0x0a, 0xff, 0xff, 0x01, 0x22, 0x00])

        #expect(index.services.isEmpty)
    }
}
