// protobuf-c (libprotobuf-c-dev). Used by the generated C in CContracts.
#include <protobuf-c/protobuf-c.h>
