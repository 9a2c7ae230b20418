/// Everything that the contracts of this program say: the generated part lists every method and holds the descriptors.
package enum ContractRegistry {}
