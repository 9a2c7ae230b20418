@testable import FHIR
import Foundation
import JSON

/// Files of FHIR, taken apart in pieces of any size, and resources that are read as what is kept. The first byte chooses the form, the second the
/// size of the pieces.
enum FHIRFuzz {
    private struct Reading: Equatable {
        var pieces: [EntryReader.Piece] = []
        var refusal: String?
    }

    static func run(_ bytes: [UInt8]) throws {
        var input = FuzzInput(bytes)
        let form: EntryReader.Form = input.byte() & 1 == 0 ? .bundle : .lines
        let size = Int(input.byte()) + 1
        let file = input.remaining()
        let whole = read(file, form, by: max(1, file.count))
        // Where it is refused may be seen a little earlier or later; what came before is the same.
        let parts = read(file, form, by: size)
        try Finding.unless(parts.pieces == whole.pieces, "other entries in pieces of \(size)")
        try Finding.unless((parts.refusal == nil) == (whole.refusal == nil), "refused in one way of reading: \(parts.refusal ?? whole.refusal ?? "")")
        if form == .bundle, whole.refusal == nil { try compare(whole.pieces, file) }
        for piece in whole.pieces {
            if let entry = try? BundleEntry(piece) { keep(entry) }
        }
    }

    private static func read(_ file: [UInt8], _ form: EntryReader.Form, by size: Int) -> Reading {
        var reader = EntryReader(form)
        var reading = Reading()
        var rest = file[...]
        do throws(JSONSyntaxError) {
            while !rest.isEmpty {
                var part = rest.prefix(size)
                rest = rest.dropFirst(size)
                while let piece = try reader.next(in: &part) { reading.pieces.append(piece) }
            }
            if let piece = try reader.finish() { reading.pieces.append(piece) }
        } catch {
            reading.refusal = error.sentence
        }
        return reading
    }

    /// A file that is JSON has those entries that JSON has.
    private static func compare(_ pieces: [EntryReader.Piece], _ file: [UInt8]) throws {
        guard let whole = try? JSONParser.parse(file) else { return }
        let entries = try pieces.map { piece in
            guard let entry = try? JSONParser.parse(piece.content) else { throw Finding("an entry of a file that is JSON is none") }
            return entry
        }
        try Finding.unless(entries == whole["entry"]?.items ?? [], "the entries are others than JSON's")
    }

    /// Whatever is read can be told.
    private static func keep(_ entry: BundleEntry) {
        let (id, person) = (UUID(), UUID())
        _ = try? FHIR.Observation(reading: entry.resource, as: id, of: person, from: "fuzz").entry
        _ = try? SampledObservation(reading: entry.resource, as: id, of: person).entry
        _ = FHIR.RetractedObservation(reading: entry.resource, as: id, from: "fuzz")
        _ = try? MedicationStatement(reading: entry.resource, nil, as: id, of: person).entry
        _ = try? Appointment(reading: entry.resource, as: id, of: person).entry
        _ = try? FHIR.Device(reading: entry.resource, as: id, of: person).entry
    }
}
