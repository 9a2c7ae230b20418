// libpq (libpq-dev). Imported by Postgres alone.
#include <libpq-fe.h>
