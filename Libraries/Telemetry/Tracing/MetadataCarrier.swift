internal import Instrumentation
internal import RPC

/// Lets a tracer read a call's metadata and write into it.
struct MetadataCarrier: Extractor, Injector {
    func extract(key: String, from carrier: Metadata) -> String? { carrier[key] }

    func inject(_ value: String, forKey key: String, into carrier: inout Metadata) { carrier[key] = value }
}
