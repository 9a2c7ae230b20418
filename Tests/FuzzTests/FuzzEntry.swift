import Foundation

/// What libFuzzer calls with each input. HEARTGUARD_FUZZ_TARGET names the target; a finding ends the process, so that
/// the input is kept.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    do {
        try unsafe FuzzEntry.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    } catch {
        fatalError("\(error)")
    }
    return 0
}

private enum FuzzEntry {
    /// libFuzzer calls from one thread.
    nonisolated(unsafe) static let run: (_ bytes: [UInt8]) throws -> Void = {
        let name = ProcessInfo.processInfo.environment["HEARTGUARD_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            fatalError("HEARTGUARD_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
        }
        return target.runner()
    }()
}
