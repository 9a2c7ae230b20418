// glibc (libc6-dev): what malloc keeps. Imported by Application alone.
#include <malloc.h>
