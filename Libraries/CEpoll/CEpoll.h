// Linux's event notification, which Swift's module of the C library leaves out. Imported by Postgres alone.
#include <sys/epoll.h>
#include <sys/eventfd.h>
