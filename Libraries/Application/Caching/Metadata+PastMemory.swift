package import RPC

/// A program that keeps what another answers asks past the memory of the replica that it reaches, which may not have heard yet of what another one
/// has changed. The field is HTTP's; those of clients go no further than the Gateway.
extension Metadata {
    package mutating func askPastMemory() { self["cache-control"] = "no-cache" }

    package var asksPastMemory: Bool { self["cache-control"] == "no-cache" }
}
