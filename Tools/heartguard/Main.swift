internal import ArgumentParser
internal import Dispatch
internal import Glibc

@main
enum Main {
    static func main() {
        ChildProcess.keepDescriptors()
        if let code = RunSupervisor.main(CommandLine.arguments) { exit(code) }
        Task {
            await HeartGuard.main()
            exit(0)
        }
        dispatchMain()
    }
}
