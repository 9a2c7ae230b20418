// nghttp2 (libnghttp2-dev): an HTTP/2 session without I/O. Imported by HTTP2 alone.
#include <nghttp2/nghttp2.h>
