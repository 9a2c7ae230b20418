// The Argon2 reference implementation (libargon2-dev). Imported by Passwords alone.
#include <argon2.h>
