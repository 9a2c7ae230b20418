internal import Application

let configuration = try GatewayConfiguration(environment: .process)
try await GatewayApplication(configuration).run()
