extension StateDirectory {
    /// The ports of the cluster that runs here. Where none does, it is said at once; a call would be made again and again for two minutes.
    func portsOfRunning() throws -> Ports {
        guard let ports = try read(Ports.self, from: self.ports) else {
            throw CommandFailure("no cluster was ever started in \(path). `make up` starts one.")
        }
        guard try SupervisorHandle(directory: self).pid != nil else { throw CommandFailure("nothing runs in \(path). `make up` starts the cluster.") }
        return ports
    }
}
