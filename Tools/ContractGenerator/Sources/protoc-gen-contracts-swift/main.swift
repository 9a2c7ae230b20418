internal import ContractGeneration
internal import SwiftProtobufPluginLibrary

ContractGenerator().main(nil)
