/* The I/O thread. */
#pragma once

#include "requester.h"

void *requester_run(void *requester);
