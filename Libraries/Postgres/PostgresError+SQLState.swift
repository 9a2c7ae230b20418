extension PostgresError {
    /// The error that a server's failure is to the caller.
    init(_ failure: ServerFailure) {
        self.init(
            Code(sqlState: failure.sqlState), failure.sentence,
            sqlState: failure.sqlState, constraint: failure.constraint, row: failure.copyLine.map { $0 - 1 }
        )
    }
}

extension PostgresError.Code {
    /// PostgreSQL's appendix A, "Error Codes".
    init(sqlState: String) {
        self = switch sqlState {
        case "23505": .uniqueViolation
        case "23503": .foreignKeyViolation
        case "23514": .checkViolation
        case "23502": .notNullViolation
        case "23P01": .exclusionViolation
        case "40001": .serializationFailure
        case "40P01": .deadlockDetected
        case "42501": .insufficientPrivilege
        case "42P01": .undefinedTable
        case "57014": .queryCancelled
        case "55P03": .lockTimeout
        case "22021", "22P02", "22P05": .invalidText
        default: .other(sqlState)
        }
    }
}

extension ServerFailure {
    /// What happened, without values. The primary messages of these classes name objects of the schema, settings and
    /// keywords only; those of the others (data exceptions, errors raised by functions, internal errors) may quote
    /// what was sent, so only their SQLSTATE's meaning is told.
    var sentence: String {
        let quotesNoValues = ["08", "0A", "23", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"]
        if quotesNoValues.contains(String(sqlState.prefix(2))) {
            return "The database refused the statement: \(primaryMessage)."
        }
        let place = switch (table, column) {
        case (let table?, let column?): " at column “\(column)” of “\(table)”"
        case (let table?, nil): " at “\(table)”"
        default: ""
        }
        return "The database refused the statement\(place): \(meaning)."
    }

    private var meaning: String {
        switch sqlState {
        case "22001": "a text is too long for its column"
        case "22003": "a number is out of range"
        case "22004", "22002": "a value is missing"
        case "22007", "22008": "a date or time is not valid"
        case "22012": "a division by zero"
        case "22021": "a text is not valid in the database's encoding"
        case "22023": "a parameter has a value that is not allowed"
        case "22P02": "a text is not what the type's input form allows"
        case "22P03": "a binary value is not what the type allows"
        case "22P05": "a character has no equivalent in the database's encoding"
        case "P0001": "a function raised an exception"
        case "P0002": "no row was found where one was needed"
        case "P0003": "more than one row was found where one was needed"
        case let state where state.hasPrefix("22"): "a value cannot be processed"
        case let state where state.hasPrefix("44"): "a row violates a view's check option"
        case let state where state.hasPrefix("XX"): "an internal error of the server"
        default: "an error whose text may hold values and is not repeated here"
        }
    }
}
