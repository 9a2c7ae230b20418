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
    case noSuchGoal, goalChanged(Int64), goalIsAnother, goalHasEnded, goalHasNoMilestones, tooManyGoals
    /// Another has its id, or its position.
    case milestoneIsAnother
    case progressIsAnother
    case noSuchPrediction, predictionIsAnother
    case noSuchRecord, recordChanged(Int64), recordIsAnother, tooManyRecords
    /// Something else was recorded of the dose.
    case doseRecorded
    /// A part of the import that is behind this one was kept already.
    case importWentOn
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
        case .noSuchGoal: RPCError(.notFound, "There is no such goal.")
        case .goalChanged(let version):
            RPCError(.aborted, "The goal was changed meanwhile and has version \(version). Read it again and decide anew.")
        case .goalIsAnother: RPCError(.alreadyExists, "There is a goal with this id that says something else, or has another code or unit.")
        case .goalHasEnded: RPCError(.failedPrecondition, "The goal was completed or abandoned.")
        case .goalHasNoMilestones: RPCError(.failedPrecondition, "A goal to stay as one is has no milestones.")
        case .tooManyGoals: .quota("user", "A person may have \(GoalStore.maxGoals) goals.")
        case .milestoneIsAnother: RPCError(.alreadyExists, "Another milestone of the goal has this position, or one of another goal has this id.")
        case .progressIsAnother: RPCError(.alreadyExists, "There is an entry with this id that says something else.")
        case .noSuchPrediction: RPCError(.notFound, "There is no such prediction.")
        case .predictionIsAnother: RPCError(.alreadyExists, "There is a prediction with this id that says something else.")
        case .noSuchRecord: RPCError(.notFound, "There is no such record.")
        case .recordChanged(let version):
            RPCError(.aborted, "The record was changed meanwhile and has version \(version). Read it again and decide anew.")
        case .recordIsAnother: RPCError(.alreadyExists, "There is a record with this id that says something else.")
        case .tooManyRecords: .quota("user", "A person may have \(PatientRecordStore.maxRecords) records.")
        case .importWentOn: RPCError(.aborted, "A later part of the import was kept already.")
        case .doseRecorded:
            RPCError(.alreadyExists, "Something else was recorded of this dose. Set replace to put this in its place.")
        }
    }
}
