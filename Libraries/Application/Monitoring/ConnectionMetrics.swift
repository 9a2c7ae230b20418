internal import RPC
internal import Telemetry

extension OpenConnections {
    func write(to text: inout PrometheusText) {
        text.family("heartguard_connections_open", .gauge, help: "Connections of clients to the gRPC server.")
        text.sample("heartguard_connections_open", [], Double(open))
        text.family(
            "heartguard_connections_refused_total", .counter, help: "Connections that were closed as they came, because there were as many as there may be.")
        text.sample("heartguard_connections_refused_total", [], Double(refused))
    }
}
