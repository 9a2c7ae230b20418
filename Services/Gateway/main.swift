internal import Application

await Program.main("gateway") {
    let configuration = try GatewayConfiguration(environment: .process)
    EventLoops.share(configuration.common.eventLoops)
    try await GatewayApplication(configuration).run()
}
