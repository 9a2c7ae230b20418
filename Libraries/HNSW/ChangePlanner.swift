/// What the one writer works in. It drafts a change while searches go on over the graph as it is.
///
/// It may go from thread to thread, and is one thread's at a time.
final class ChangePlanner: @unchecked Sendable {
    var draft: LinkDraft
    /// The neighbours of a new node, and those it could have.
    var nearby = CandidateList()
    var chosen = NeighbourSelection()
    /// The neighbours of a node that has one too many, by distance and as the heuristic thins them.
    var ranked = CandidateList()
    var thinned = NeighbourSelection()
    /// The neighbours of one node, marked to find common ones.
    var marked = VisitedSet()

    init(configuration: HNSWConfiguration) {
        draft = LinkDraft(configuration: configuration)
    }
}
