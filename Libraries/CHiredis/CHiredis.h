// hiredis (libhiredis-dev), of which only the RESP reader and the command formatter are used. Imported by Redis alone.
#include <hiredis/hiredis.h>
#include <hiredis/read.h>
