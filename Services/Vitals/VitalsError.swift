internal import Application
internal import Contracts
internal import RPC

/// Everything that can go wrong in this service beyond a malformed request and a store that is down.
enum VitalsError: Error, Equatable {
    /// The device is not there, is somebody else's, or is not active; which of the three is not said.
    case noSuchDevice
    /// The device is not there or is somebody else's.
    case unknownDevice
    /// The series of the code was begun in another unit.
    case seriesHasAnotherUnit
    /// A plot of so few points would hold too much.
    case tooManySamplesForPlot
    /// The caller has as many devices as a person may have.
    case tooManyDevices
    /// The reading is not there or is somebody else's.
    case noSuchObservation
    /// The reading has another version than the caller knows: this one.
    case observationChanged(Int64)
    case observationRetracted
    /// The alert, or the rule, is not there or is somebody else's.
    case noSuchAlert, noSuchRule
    /// The rule, or the medication, has another version than the caller knows: this one.
    case ruleChanged(Int64), medicationChanged(Int64)
    /// There is one with the id that says something else.
    case ruleIsAnother, medicationIsAnother
    case tooManyRules, tooManyMedications
    case noSuchMedication
    /// Something else was recorded of the dose.
    case doseRecorded
}

extension VitalsError: RPCErrorConvertible {
    var rpcError: RPCError {
        switch self {
        case .noSuchDevice: RPCError(.notFound, "There is no such device, or it is not active.")
        case .unknownDevice: RPCError(.notFound, "There is no such device.")
        case .seriesHasAnotherUnit:
            RPCError(.failedPrecondition, "The device's series of this code has another unit. Convert the samples to it; ListSeries tells which it is.")
        case .tooManySamplesForPlot:
            .invalid("plot.points", InvalidValue(sentence: "There are more than \(SeriesReader.maxSamplesPerPoint) samples a point. Ask for more points or for a shorter period."))
        case .tooManyDevices:
            .quota("user", "A person may have \(DeviceRepository.maxDevices) devices.")
        case .noSuchObservation: RPCError(.notFound, "There is no such reading.")
        case .observationChanged(let version):
            RPCError(.aborted, "The reading was changed meanwhile and has version \(version). Read it again and decide anew.")
        case .observationRetracted: RPCError(.failedPrecondition, "The reading was retracted.")
        case .noSuchAlert: RPCError(.notFound, "There is no such alert.")
        case .noSuchRule: RPCError(.notFound, "There is no such rule.")
        case .ruleChanged(let version):
            RPCError(.aborted, "The rule was changed meanwhile and has version \(version). Read it again and decide anew.")
        case .ruleIsAnother: RPCError(.alreadyExists, "There is a rule with this id that says something else.")
        case .tooManyRules: .quota("user", "A person may have \(AlertRuleRepository.maxRules) rules.")
        case .noSuchMedication: RPCError(.notFound, "There is no such medication.")
        case .medicationChanged(let version):
            RPCError(.aborted, "The medication was changed meanwhile and has version \(version). Read it again and decide anew.")
        case .medicationIsAnother: RPCError(.alreadyExists, "There is a medication with this id that says something else.")
        case .tooManyMedications: .quota("user", "A person may have \(MedicationStore.maxMedications) medications.")
        case .doseRecorded:
            RPCError(.alreadyExists, "Something else was recorded of this dose. Set replace to put this in its place.")
        }
    }
}
