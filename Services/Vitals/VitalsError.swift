internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong in this service beyond a malformed request and a store that is down.
enum VitalsError: Error, Equatable {
    /// The device is not there, is somebody else's, or is not active; which of the three is not said.
    case noSuchDevice
    /// The caller has as many devices as a person may have.
    case tooManyDevices
}

extension VitalsError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .noSuchDevice: RPCError(.notFound, "There is no such device, or it is not active.")
        case .tooManyDevices:
            .quota("user", "A person may have \(DeviceRepository.maxDevices) devices.")
        }
    }
}
