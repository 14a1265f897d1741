/* Queries of receipt-svc. */
#pragma once

#include <bus/worker.h>

extern const struct bus_service receipt_queries;
