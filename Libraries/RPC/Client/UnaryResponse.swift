/// The answer to a call that is answered once, with what came around it.
package struct UnaryResponse<Response: Message>: Sendable {
    package let message: Response
    package let metadata: Metadata
    package let trailers: Metadata
    package let wasCompressed: Bool
}
