/* The I/O thread. */
#ifndef BUS_AMQP_REQUESTER_IO_H
#define BUS_AMQP_REQUESTER_IO_H

#include "requester.h"

void *requester_run(void *requester);

#endif
