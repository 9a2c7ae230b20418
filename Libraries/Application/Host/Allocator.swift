internal import CMalloc

/// How this process' malloc deals with large blocks.
package enum Allocator {
    /// Has blocks of up to 8 MiB, which is more than the largest message, taken out of memory that malloc keeps, and up to
    /// 64 MiB of it kept when it falls free. By itself malloc maps large blocks and unmaps them again (mallopt(3),
    /// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD), and then a message of 1 MB costs more page faults than copies.
    ///
    /// To be called once, before the first thread serves. What the machine's operator has set in the environment is lost.
    package static func keepMessageMemory() {
        // 0 would say that the value is out of range, which these are not.
        _ = mallopt(M_MMAP_THRESHOLD, 8 << 20)
        _ = mallopt(M_TRIM_THRESHOLD, 64 << 20)
    }
}
