/* Process setup of every program: standard descriptors, signals, core dumps, memory arenas. */
#ifndef BUS_PROCESS_H
#define BUS_PROCESS_H

#include <bus/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens closed standard descriptors (0 to 2) to /dev/null, so that no socket or file of the program gets the number of
 * stderr. Call it before opening any file; bus_process_init and bus_config_main do. */
void bus_process_standard_files(void);

/*
 * For a program that runs until a signal ends it. Call first.
 * SIGTERM, SIGINT and SIGHUP are blocked in this and all later threads, for bus_process_wait. A SIGHUP that was ignored
 * when the program started (nohup) stays ignored. SIGPIPE, SIGUSR1 and SIGUSR2 are ignored. Core dumps and ptrace are
 * forbidden, for the secrets in memory.
 */
void bus_process_init(void);
/* Waits for the first SIGTERM, SIGINT or SIGHUP. From then on a second one exits at once with status 130, and a drain
 * that takes 10 s longer than drain_ms ends with status 124; both say so in a last log line. */
int bus_process_wait(int64_t drain_ms);

#ifdef __cplusplus
}
#endif
#endif
