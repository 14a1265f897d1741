/*
 * Failpoints: named steps at which a process can be made to crash or fail. Only test builds have them (CMake option
 * ORDERBUS_FAILPOINTS); elsewhere each is a constant, so that neither branch nor name remains.
 *
 * A point needs no declaration besides its use: the linker collects all points of a program, and --print-failpoints
 * prints each with its faults. Two variables, read once at the start, switch them:
 *
 *   BUS_FAILPOINTS="point=fault[@N[..[M]]][,point=fault…]"   N: at the N-th hit (default 1); N..: from then on
 *   BUS_FAILPOINTS_LOG=FILE                                  a line "point fault pid" is appended before a fault acts
 *
 *   crash       SIGKILL to the process itself
 *   delay:MS    the thread sleeps
 *   error       the step fails as if the library beneath had said so
 *   disconnect  the connection that the step is about to use, or has just used, is shut down
 */
#pragma once

#include <bus/error.h>

BUS_C_BEGIN

enum bus_fault { BUS_FAULT_NONE, BUS_FAULT_ERROR, BUS_FAULT_DISCONNECT };

#ifdef ORDERBUS_FAILPOINTS

enum { BUS_CAN_CRASH = 0, BUS_CAN_ERROR = 1, BUS_CAN_DISCONNECT = 2 }; /* beside crash and delay, which all can */

struct bus_failpoint {
  const char *name;
  unsigned can;
  bool armed; /* written before there are threads */
};

/* The point's descriptor is found through a pointer in a section of its own: __start_ and __stop_ of it are the list.
 * Costs a load and a branch while nothing is switched on. */
#define BUS_FAILPOINT_THAT(can, name)                                                                                  \
  __extension__({                                                                                                      \
    static struct bus_failpoint point_ = {(name), (can), false};                                                       \
    static struct bus_failpoint *const listed_ __attribute__((section("bus_failpoints"), used)) = &point_;             \
    point_.armed ? bus_failpoint_hit(&point_) : BUS_FAULT_NONE;                                                        \
  })

/* Reads both variables through `lookup`, before any thread starts. False: a variable is malformed;
 * *err names it. */
bool bus_failpoints_read(const char *(*lookup)(void *context, const char *name), void *context,
                         struct bus_error *err) BUS_MUST_CHECK;
/* The names of both variables, and NULL. */
extern const char *const bus_failpoint_variables[];
/* Prints each point with its faults, one point a line. */
void bus_failpoints_print(void *context, void (*write)(void *context, const char *text));
/* Crashes, sleeps, or returns the fault for the caller to carry out. */
enum bus_fault bus_failpoint_hit(const struct bus_failpoint *point);
/* Shuts the socket down if that is the fault. True: the step must fail. */
bool bus_failpoint_acts(enum bus_fault fault, int fd);
/* Shuts the socket down if that is the fault; the step goes on. */
void bus_failpoint_cut(enum bus_fault fault, int fd);

/* Returns the fault; the caller carries it out. */
#define BUS_FAILPOINT(name) BUS_FAILPOINT_THAT(BUS_CAN_ERROR | BUS_CAN_DISCONNECT, name)
/* For a step that cannot fail and uses no connection. */
#define BUS_CRASH_POINT(name) ((void)BUS_FAILPOINT_THAT(BUS_CAN_CRASH, name))
/* True: the step fails. */
#define BUS_ERROR_POINT(name) (BUS_FAILPOINT_THAT(BUS_CAN_ERROR, name) == BUS_FAULT_ERROR)
#define BUS_FAIL_POINT(name, fd) bus_failpoint_acts(BUS_FAILPOINT(name), (fd))
/* Only shuts the connection down. */
#define BUS_CUT_POINT(name, fd) bus_failpoint_cut(BUS_FAILPOINT_THAT(BUS_CAN_DISCONNECT, name), (fd))

#else

#define bus_failpoints_read(lookup, context, err) ((void)sizeof(err), true)
#define bus_failpoint_variables NULL
#define BUS_FAILPOINT(name) BUS_FAULT_NONE
#define BUS_CRASH_POINT(name) ((void)0)
#define BUS_ERROR_POINT(name) false
#define BUS_FAIL_POINT(name, fd) ((void)sizeof(fd), false)
#define BUS_CUT_POINT(name, fd) ((void)sizeof(fd))

#endif

BUS_C_END
