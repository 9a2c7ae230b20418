// libpq (libpq-dev). Imported by Postgres alone.
#include <dlfcn.h>
#include <libpq-fe.h>

/// Whether OpenSSL has decrypted more than libpq had room for. The socket does not announce it.
///
/// libpq brings OpenSSL with it and no header of it; an OpenSSL that is not there has nothing.
static inline int heartguard_has_decrypted_input(PGconn *connection) {
    void *session = PQsslInUse(connection) ? PQsslStruct(connection, "OpenSSL") : 0;
    if (!session) return 0;
    void *program = dlopen(0, RTLD_LAZY);
    if (!program) return 0;
    int (*pending)(const void *) = (int (*)(const void *))dlsym(program, "SSL_pending");
    int bytes = pending ? pending(session) : 0;
    dlclose(program);
    return bytes > 0;
}
