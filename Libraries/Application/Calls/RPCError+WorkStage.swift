internal import Contracts
internal import RPC
internal import Time

extension RPCError {
    /// With google.rpc.ErrorInfo, for programs and for whoever reads them, of a call that took too long: its `stage` is what the call
    /// waited for, `pool`, `database`, `redis` or `call`, parted by commas where it was several, and `handler` where it worked by itself.
    func naming(_ stages: [WorkStage]) -> RPCError {
        let names = stages.isEmpty ? "handler" : stages.map(\.rawValue).joined(separator: ",")
        return adding(GoogleRPC.ErrorInfo(reason: "WAITED_TOO_LONG", domain: "heartguard", metadata: ["stage": names]))
    }
}
