// LZ4 (liblz4-dev): the block format. Imported by LZ4 alone.
#include <lz4.h>
