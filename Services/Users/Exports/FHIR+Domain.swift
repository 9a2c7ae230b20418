internal import FHIR
internal import FoundationEssentials
internal import Postgres

extension FHIR.Patient {
    init(_ user: User, contacts: [EmergencyContact]) {
        self.init(
            id: user.id.uuid, name: user.profile.name.text, email: user.email.text, phone: user.profile.phone?.text,
            gender: Gender(user.profile.sex), birthDate: user.profile.birthDate?.date,
            contacts: contacts.map { Contact(name: $0.name, relationship: $0.relationship.rawValue, phone: $0.phone, email: $0.email) })
    }
}

extension FHIR.Patient.Gender {
    fileprivate init?(_ sex: Sex) {
        switch sex {
        case .unspecified: return nil
        case .female: self = .female
        case .male: self = .male
        case .other: self = .other
        case .unknown: self = .unknown
        }
    }
}

extension FHIR.Practitioner {
    init(_ provider: Provider) {
        self.init(id: provider.id, name: provider.name, title: provider.title, qualifications: provider.qualifications)
    }
}

extension FHIR.Coverage {
    init(_ insurance: InsuranceInfo, of user: UUID) {
        self.init(
            id: insurance.id, beneficiary: user, version: insurance.version, status: [.rejected, .expired].contains(insurance.status) ? .cancelled : .active,
            kind: insurance.planType?.rawValue, payor: insurance.insurer, holder: insurance.holderName,
            relationship: Relationship(ofPersonWhoseHolderIs: insurance.holderRelationship), subscriberID: insurance.policyNumber,
            group: insurance.groupNumber, plan: insurance.planName, start: insurance.validFrom, end: insurance.validUntil, isFirst: insurance.isPrimary,
            copay: insurance.copayAmount?.text, deductible: insurance.deductibleAmount?.text, currency: insurance.currency)
    }
}

extension FHIR.Coverage.Relationship {
    /// We say what the holder is to the person, FHIR the reverse.
    fileprivate init(ofPersonWhoseHolderIs holder: InsuranceInfo.HolderRelationship) {
        self = switch holder {
        case .oneself: .oneself
        case .spouse: .spouse
        case .parent: .child
        case .child: .parent
        case .other: .other
        }
    }
}

extension FHIR.Appointment {
    init(_ visit: Appointment, of user: UUID) {
        self.init(
            id: visit.id, patient: user, practitioner: visit.providerID, coverage: visit.insuranceID, version: visit.version,
            status: Status(visit.status), kind: visit.appointmentType.rawValue, start: visit.startsAt, end: visit.endsAt, reason: visit.reason,
            comment: visit.notes, cancellationReason: visit.cancellationReason)
    }
}

extension FHIR.Appointment.Status {
    fileprivate init(_ status: Appointment.Status) {
        self = switch status {
        case .requested: .proposed
        case .confirmed: .booked
        case .checkedIn: .checkedIn
        case .inProgress: .arrived
        case .completed: .fulfilled
        case .noShow: .noshow
        // Whoever moved it has another in its place; a hold that is over holds nothing.
        case .cancelled, .rescheduled, .expired: .cancelled
        }
    }
}
