// zlib (zlib1g-dev): DEFLATE and the gzip form of it. Imported by Gzip alone.
#include <zlib.h>
