/// What makes the embeddings of people's memories, wherever they are kept and whoever asks for them.
package enum MemoryModel {
    package static let id = "sentence-transformers/all-MiniLM-L6-v2"
    package static let dimension = 384
}
