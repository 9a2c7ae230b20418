internal import CContracts

/// What protobuf-c knows of a message: its fields and their places in the C struct.
///
/// The descriptor is constant data of the program, so it may be read from any thread.
@safe
package struct MessageLayout: @unchecked Sendable {
    let descriptor: UnsafePointer<ProtobufCMessageDescriptor>

    /// Finds the descriptor where the generated initialiser puts it: Swift cannot take the address of a C constant.
    package init<C>(_ type: C.Type, initialise: (UnsafeMutablePointer<C>) -> Void) {
        unsafe descriptor = withUnsafeTemporaryAllocation(of: C.self, capacity: 1) { place in
            let message = place.baseAddress!
            unsafe initialise(message)
            return unsafe UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor
        }
    }
}
