/// What the replicas say of one dependency, as one of them last heard.
struct Opinion: Sendable, Hashable {
    /// Replicas that live, and how many of them hold that the dependency fails; both count this one.
    var live = 1
    var failing = 0
    /// When it was heard; nil when nothing has been.
    var heardAt: Duration?

    /// More than half of those that live, and of those more than one: a replica is no majority by itself.
    func isFailing(at now: Duration, life: Duration) -> Bool {
        guard let heardAt, now - heardAt <= life else { return false }
        return failing > 1 && failing * 2 > live
    }
}
