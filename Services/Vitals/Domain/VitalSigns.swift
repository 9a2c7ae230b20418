/// The vital signs that we know the units of. A reading of another code may have any unit.
///
/// A number in an unexpected unit is the mistake that hurts: 5.4 mg/dL of glucose is a coma, 5.4 mmol/L is breakfast.
/// LOINC gives a property to each code, so a code for mass per volume takes `mg/dL` and one for moles per volume `mmol/L`.
enum VitalSigns {
    static let bloodPressurePanel = LOINCCode(stored: "85354-9")
    static let systolicPressure = LOINCCode(stored: "8480-6")
    static let diastolicPressure = LOINCCode(stored: "8462-4")

    private static let perMinute: [String] = ["/min", "{beats}/min"]
    private static let massOfGlucose: [String] = ["mg/dL"]
    private static let molesOfGlucose: [String] = ["mmol/L"]
    private static let pressure: [String] = ["mm[Hg]", "kPa"]
    private static let temperature: [String] = ["Cel", "[degF]", "K"]
    private static let mass: [String] = ["kg", "g", "[lb_av]"]
    private static let length: [String] = ["cm", "m", "[in_i]", "[ft_i]"]

    private static let units: [String: [String]] = [
        "8867-4": perMinute,  // heart rate
        "40443-4": perMinute,  // heart rate, resting
        "8889-8": perMinute,  // heart rate by pulse oximeter
        "9279-1": ["/min", "{breaths}/min"],  // respiratory rate
        "2708-6": ["%"],  // oxygen saturation in arterial blood
        "59408-5": ["%"],  // oxygen saturation by pulse oximeter
        "8310-5": temperature,  // body temperature
        "8331-1": temperature,  // oral temperature
        "2339-0": massOfGlucose,  // glucose in blood
        "2345-7": massOfGlucose,  // glucose in serum or plasma
        "41653-7": massOfGlucose,  // glucose in capillary blood by glucometer
        "99504-3": massOfGlucose,  // glucose in interstitial fluid
        "105272-9": molesOfGlucose,  // glucose in interstitial fluid
        "15074-8": molesOfGlucose,  // glucose in blood
        "14749-6": molesOfGlucose,  // glucose in serum or plasma
        "14743-9": molesOfGlucose,  // glucose in capillary blood by glucometer
        "8480-6": pressure,  // systolic blood pressure
        "8462-4": pressure,  // diastolic blood pressure
        "8478-0": pressure,  // mean blood pressure
        "29463-7": mass,  // body weight
        "3141-9": mass,  // body weight, measured
        "8302-2": length,  // body height
        "39156-5": ["kg/m2"],  // body mass index
        "80404-7": ["ms", "s"],  // standard deviation of R-R intervals
    ]

    /// The units that a code may have; `nil` when every well-formed unit is taken.
    static func units(of code: LOINCCode) -> [String]? { units[code.text] }
}
