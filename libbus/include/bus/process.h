/* Process setup of every program: standard descriptors, signals, core dumps, memory arenas. */
#pragma once

#include <bus/base.h>

BUS_C_BEGIN

/* Opens closed standard descriptors (0 to 2) to /dev/null, so that no socket or file of the program gets the number of
 * stderr. Call it before opening any file; bus_process_init and bus_config_main do. */
void bus_process_standard_files(void);

/* For a program of hundreds of threads, first in main: starts it anew (execve) with malloc's caches of a thread off,
 * which it can be told only by its environment (GLIBC_TUNABLES, glibc manual 39.1). Each thread would keep a few free
 * blocks of each size that it ever freed, for as long as it lives. Returns where GLIBC_TUNABLES is set, as it is after
 * the start, and where the program cannot be started anew: it is only larger then. */
void bus_process_without_thread_caches(char **argv);

/*
 * For a program that runs until a signal ends it. Call first.
 * SIGTERM, SIGINT and SIGHUP are blocked in this and all later threads, for bus_process_wait. A SIGHUP that was ignored
 * when the program started (nohup) stays ignored. SIGPIPE, SIGUSR1 and SIGUSR2 are ignored. Core dumps and ptrace are
 * forbidden, for the secrets in memory. Freed memory goes back to the kernel.
 */
void bus_process_init(void);
/* From now on SIGHUP has bus_process_wait call this function instead of ending the wait, also where it was ignored at
 * the start; during the drain it does nothing. */
void bus_process_on_hangup(void (*reload)(void *context), void *context);
/* Waits for the first SIGTERM, SIGINT or SIGHUP, and meanwhile returns memory that lies free to the kernel. From then
 * on a second one exits at once with status 130, and a drain that takes 10 s longer than drain_ms ends with status 124;
 * both say so in a last log line. */
int bus_process_wait(int64_t drain_ms);

BUS_C_END
