/// A message with what its frame said of it, for those who care how it travelled.
package struct FramedMessage<Content: Message>: Sendable {
    package let message: Content
    package let wasCompressed: Bool
}
