internal import Application

let configuration = try ChatConfiguration(environment: .process)
try await ChatApplication(configuration).run()
