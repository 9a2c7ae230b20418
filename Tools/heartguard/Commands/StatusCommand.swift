internal import ArgumentParser
internal import Foundation

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says what runs, where and since when.",
        discussion: "Ends with 0 where all is well, with 1 where something does not run or serve, with 3 where nothing runs.")

    @OptionGroup var options: StateOptions

    @Flag(help: "Print cluster.json instead.")
    var json = false

    func run() async throws {
        let directory = options.directory
        let supervisor = SupervisorHandle(directory: directory)
        guard let report = try supervisor.report(), let pid = try supervisor.pid, let ports = try directory.read(Ports.self, from: directory.ports) else {
            print("Nothing runs in \(directory.path). `make up` starts the cluster.")
            throw ExitCode(3)
        }
        if json {
            guard let file = FileManager.default.contents(atPath: directory.cluster) else { throw CommandFailure("\(directory.cluster) cannot be read.") }
            print(String(decoding: file, as: UTF8.self), terminator: "")
            return
        }
        print("Cluster in \(directory.path), supervised by process \(pid)")
        var allWell = true
        for process in report.processes {
            let (state, isWell) = await describe(process, directory: directory, ports: ports)
            allWell = allWell && isWell
            print("  \(process.name.padded(to: 14)) \(state)")
        }
        if !allWell { throw ExitCode(1) }
    }

    private func describe(_ process: ProcessReport.Process, directory: StateDirectory, ports: Ports) async -> (String, Bool) {
        var parts: [String] = []
        var isWell = process.state == "running"
        if isWell, let service = ServiceName(rawValue: process.name) {
            let port = ServicePlan(directory: directory, ports: ports, binaries: "", environment: [:]).port(of: service)
            let health = await HealthCheck(host: "127.0.0.1", port: port, authority: directory.certificateAuthority).state(of: service)
            isWell = health == .serving
            parts.append("\(health)")
        } else {
            parts.append(process.state)
        }
        if let role = portRole(process.name) { parts.append("127.0.0.1:\(ports[role])") }
        if let pid = process.pid { parts.append("process \(pid)") }
        if let started = process.startedAt {
            parts.append("up \(Duration.seconds(Date().timeIntervalSince1970 - started).formatted(.units(allowed: [.days, .hours, .minutes, .seconds], width: .narrow, maximumUnitCount: 2)))")
        }
        if process.restarts > 0 { parts.append("restarted \(process.restarts == 1 ? "once" : "\(process.restarts) times"), after it \(process.lastExit ?? "ended")") }
        return (parts.joined(separator: ", "), isWell)
    }

    private func portRole(_ process: String) -> Ports.Role? {
        switch process {
        case "redis-durable": .redisDurable
        case "redis-cache": .redisCache
        default: Ports.Role(rawValue: process)
        }
    }
}
