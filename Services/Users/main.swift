internal import Application

let configuration = try UsersConfiguration(environment: .process)
try await UsersApplication(configuration).run()
