internal import ArgumentParser

struct ReceiptsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "receipts", abstract: "Verifies what says that somebody's records were erased.", subcommands: [Verify.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify", abstract: "Says what a receipt of an erasure says, if it is as it was signed.",
            discussion: """
                The file has what `GetErasure` gives as the receipt, a JSON Web Signature. It needs no running cluster and no network: the public keys are
                those of the cluster's state folder (token-jwks.json), or of the files that --keys names. Ends with 0 where the receipt holds, with 1 where
                it was changed, is another kind of file, or was signed with a key that is not known.
                """)

        @OptionGroup var options: StateOptions

        @Argument(help: "The file.")
        var file: String

        @Option(help: "A file of public keys (a JSON Web Key Set) in the place of the state folder's, such as one with retired keys. May be said several times.")
        var keys: [String] = []

        func run() async throws {
            let receipt = try ErasureReceipt.verified(file, keys: keys.isEmpty ? [options.directory.publicKeys] : keys)
            for line in receipt.lines { print(line) }
        }
    }
}
