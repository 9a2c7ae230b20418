internal import Application

let configuration = try VectorsConfiguration(environment: .process)
try await VectorsApplication(configuration).run()
