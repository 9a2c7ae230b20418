package import Time

/// FHIR's `dateTime`: an instant, by the clocks of a place that are so far ahead of UTC.
package struct DateTime: Hashable, Sendable {
    package let instant: Instant
    package let utcOffsetMinutes: Int

    package init(_ instant: Instant, utcOffsetMinutes: Int = 0) {
        self.instant = instant
        self.utcOffsetMinutes = utcOffsetMinutes
    }

    /// For example `2026-11-29T16:40:00+01:00`.
    package var text: String {
        guard utcOffsetMinutes != 0 else { return instant.rfc3339 }
        let local = (instant + .seconds(utcOffsetMinutes * 60)).rfc3339
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let minutes = abs(utcOffsetMinutes)
        return local.dropLast() + (utcOffsetMinutes < 0 ? "-" : "+") + padded(minutes / 60) + ":" + padded(minutes % 60)
    }

    var element: Element { .string(text) }
}
