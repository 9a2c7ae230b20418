internal import HNSW
internal import Postgres

extension Metric {
    /// What the table calls it, and the caller reads.
    var storedName: String {
        switch self {
        case .cosine: "cosine"
        case .innerProduct: "inner_product"
        case .euclidean: "euclidean"
        }
    }

    init(storedName name: String) throws(PostgresError) {
        guard let metric = Metric.allCases.first(where: { $0.storedName == name }) else {
            throw PostgresError(.decoding, "Column “metric” holds a name that this program does not know.")
        }
        self = metric
    }
}
