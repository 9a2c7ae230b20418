internal import Glibc

/// `heartguard run-supervisor STATE`: the process that `up` leaves behind. It is entered before anything that starts a
/// thread, since a supervisor waits for its signals on the only one it has.
enum RunSupervisor {
    static let argument = "run-supervisor"

    /// Nil when the arguments ask for something else, otherwise the exit code.
    static func main(_ arguments: [String]) -> Int32? {
        guard arguments.count == 3, arguments[1] == argument else { return nil }
        do {
            var supervisor = try Supervisor(StateDirectory(arguments[2]))
            try supervisor.run()
            return 0
        } catch let held as FileLock.Held {
            print("process \(held.by) supervises \(arguments[2]) already")
            return 1
        } catch {
            print("the supervisor cannot go on: \(error)")
            return 1
        }
    }
}
