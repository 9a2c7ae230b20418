internal import Application
internal import Postgres
internal import Time

/// Passwords that are tried, counted by address before each is checked: many at once are counted as many one after the other are. A right one
/// begins the count anew.
///
/// Addresses without an account are counted as others are, so that the answer does not tell. While an address waits nothing is checked and
/// nothing is counted, so nobody makes the wait of somebody else longer than a quarter of an hour; who is signed in stays so.
struct SignInAttempts: Sendable {
    let postgres: Postgres

    /// So many wrong passwords are free of waiting, for one looks for the right one, and several devices may do so at once.
    static let free = 10
    /// Behind those the wait begins with a second and doubles with each wrong password, up to this.
    static let longestWait = Duration.seconds(900)

    /// Counts an attempt as one that failed. Throws `UsersError.tooManyPasswords` if it may not be made.
    func begin(for address: EmailAddress) async throws {
        let (count, wait) = try await postgres.batch(.countAttempt(for: address), .wait(for: address))
        guard try count.first() == nil else { return }
        // None if somebody has had the address forgotten in between, or the wait has just ended: a moment later it may be tried.
        let microseconds = try wait.first()?.value ?? 0
        throw UsersError.tooManyPasswords(wait: max(.milliseconds(100), .microseconds(microseconds)))
    }

    /// The password was right.
    func forget(_ address: EmailAddress) async throws(PostgresError) {
        try await postgres.execute(.forgetAttempts(for: address))
    }

    /// Forgets a few addresses that nobody has tried for a day: as many as are added, and some more.
    func forgetSome() async throws(PostgresError) {
        try await postgres.execute(.forgetOldAttempts)
    }
}

extension Statement<Scalar<Int32>> {
    /// How many there were with this one; no row while the address waits. Only the eleventh has one wait, and each behind it for longer.
    static func countAttempt(for address: EmailAddress) -> Self {
        .writing(
            """
            INSERT INTO users.sign_in_attempts AS known (address_sha256, failures, blocked_until)
            VALUES (sha256(convert_to(\(address.text), 'UTF8')), 1, clock_timestamp())
            ON CONFLICT (address_sha256) DO UPDATE
            SET failures = CASE WHEN known.updated_at < clock_timestamp() - interval '1 day' THEN 1 ELSE known.failures + 1 END,
                blocked_until = clock_timestamp() + CASE
                    WHEN known.updated_at < clock_timestamp() - interval '1 day' OR known.failures < \(SignInAttempts.free) THEN interval '0'
                    ELSE make_interval(secs => least(\(SignInAttempts.longestWait.wholeMicroseconds) / 1000000.0,
                                                     power(2, least(known.failures - \(SignInAttempts.free), 20)))::float8) END
            WHERE known.blocked_until <= clock_timestamp()
            RETURNING failures
            """)
    }
}

extension Statement<Scalar<Int64>> {
    /// For how many microseconds an address still waits.
    static func wait(for address: EmailAddress) -> Self {
        .reading(
            """
            SELECT (extract(epoch FROM blocked_until - clock_timestamp()) * 1000000)::bigint AS microseconds
            FROM users.sign_in_attempts WHERE address_sha256 = sha256(convert_to(\(address.text), 'UTF8'))
            """)
    }
}

extension Statement<Void> {
    static func forgetAttempts(for address: EmailAddress) -> Self {
        .writing("DELETE FROM users.sign_in_attempts WHERE address_sha256 = sha256(convert_to(\(address.text), 'UTF8'))")
    }

    static let forgetOldAttempts: Self = .writing(
        """
        DELETE FROM users.sign_in_attempts WHERE address_sha256 IN (
            SELECT address_sha256 FROM users.sign_in_attempts WHERE updated_at < clock_timestamp() - interval '1 day'
            ORDER BY updated_at LIMIT 10 FOR UPDATE SKIP LOCKED)
        """)
}
