internal import Application
internal import Contracts
internal import FoundationEssentials
internal import Postgres
internal import Time

extension UsersV1.Provider {
    init(_ provider: Provider) {
        self.init(
            id: provider.id.text, name: provider.name, title: provider.title ?? "", specialty: .init(provider.specialty),
            qualifications: provider.qualifications, languages: provider.languages, biography: provider.biography,
            yearsExperience: provider.yearsExperience, clinic: provider.clinic, city: provider.city, country: provider.country,
            timeZone: provider.timeZone, consultationFee: provider.consultationFee?.text, currency: provider.currency,
            rating: provider.rating?.text, reviewCount: provider.reviewCount, acceptsInsurance: provider.acceptsInsurance,
            offersTelehealth: provider.offersTelehealth)
    }
}

extension UsersV1.Slot {
    init(_ slot: Slot) {
        self.init(startsAt: .init(slot.startsAt), endsAt: .init(slot.endsAt), telehealth: slot.isTelehealth)
    }
}

extension Provider.Specialty {
    init(_ specialty: UsersV1.Specialty) throws(InvalidValue) {
        switch specialty {
        case .cardiology: self = .cardiology
        case .electrophysiology: self = .electrophysiology
        case .generalPractice: self = .generalPractice
        case .internalMedicine: self = .internalMedicine
        case .endocrinology: self = .endocrinology
        case .nutrition: self = .nutrition
        case .psychology: self = .psychology
        case .physiotherapy: self = .physiotherapy
        case .other: self = .other
        case .unspecified: throw InvalidValue("is needed")
        default: throw InvalidValue("is none of the values that this version knows")
        }
    }
}

extension UsersV1.Specialty {
    init(_ specialty: Provider.Specialty) {
        self = switch specialty {
        case .cardiology: .cardiology
        case .electrophysiology: .electrophysiology
        case .generalPractice: .generalPractice
        case .internalMedicine: .internalMedicine
        case .endocrinology: .endocrinology
        case .nutrition: .nutrition
        case .psychology: .psychology
        case .physiotherapy: .physiotherapy
        case .other: .other
        }
    }
}
