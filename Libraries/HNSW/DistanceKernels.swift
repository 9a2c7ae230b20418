internal import CDistance

/// The arithmetic between two vectors, as fast as this processor can do it.
///
/// Pointers to functions and to a name that are constants of the program: any thread may use them.
@safe
struct DistanceKernels: @unchecked Sendable {
    private let kernels: distance_kernels

    /// Components from one stored vector to the next, so that the kernels have no tail to handle.
    static func paddedVector(_ dimension: Int) -> Int { (dimension + 15) / 16 * 16 }

    /// Bytes from one stored code to the next; they start on a cache line too.
    static func paddedCode(_ dimension: Int) -> Int { (dimension + 63) / 64 * 64 }

    /// The fastest; chosen once.
    static let best = unsafe DistanceKernels(kernels: distance_kernels_best().pointee)

    /// Each kind that this processor can run, the plain ones first.
    static var all: [DistanceKernels] {
        var found: [DistanceKernels] = []
        while let kernels = unsafe distance_kernels_at(found.count) {
            unsafe found.append(DistanceKernels(kernels: kernels.pointee))
        }
        return found
    }

    var name: String { unsafe String(cString: kernels.name) }

    @inline(__always) @unsafe
    func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
        unsafe kernels.dot_f32(a, b, count)
    }

    @inline(__always) @unsafe
    func squaredDistance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Float {
        unsafe kernels.squared_f32(a, b, count)
    }

    /// `b` holds the upper halves of floats.
    @inline(__always) @unsafe
    func product(_ a: UnsafePointer<Float>, _ b: UnsafePointer<UInt16>, count: Int) -> Float {
        unsafe kernels.dot_bf16(a, b, count)
    }

    @inline(__always) @unsafe
    func squaredDistance(_ a: UnsafePointer<Float>, _ b: UnsafePointer<UInt16>, count: Int) -> Float {
        unsafe kernels.squared_bf16(a, b, count)
    }

    /// The sum of `a * (b - 128)` over two stored codes.
    @inline(__always) @unsafe
    func codeProduct(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, count: Int) -> Int32 {
        unsafe kernels.dot_codes(a, b, count)
    }

    /// The sum of `code * query` for the stored code of each slot.
    @inline(__always) @unsafe
    func codeProducts(
        _ query: UnsafePointer<Int8>, _ base: UnsafePointer<UInt8>, stride: Int, _ slots: UnsafePointer<Int32>,
        count: Int, into products: UnsafeMutablePointer<Int32>
    ) {
        unsafe kernels.dots_slots(query, base, stride, slots, count, products)
    }
}
