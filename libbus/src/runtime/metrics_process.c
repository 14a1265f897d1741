/* Process metrics from /proc/self, read at each scrape. */
#include <bus/clock.h>
#include <bus/log.h>
#include <bus/metrics.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* "VmRSS:    1234 kB" in /proc/self/status, in bytes. */
static int64_t status_bytes(void *field) {
  FILE *file = fopen("/proc/self/status", "re");
  char line[256];
  int64_t kib = 0;
  size_t len = strlen(field);
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, field, len) == 0)
      kib = strtoll(line + len, NULL, 10);
  if (file)
    fclose(file);
  return kib * 1024;
}

static int64_t cpu_microseconds(void *context) {
  (void)context;
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0)
    return 0;
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * BUS_SECOND + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t open_fds(void *context) {
  (void)context;
  DIR *dir = opendir("/proc/self/fd");
  if (dir == NULL)
    return 0;
  int64_t count = -1; /* the directory's own */
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    if (entry->d_name[0] != '.')
      count++;
  closedir(dir);
  return count;
}

/* Field 22 of /proc/self/stat, counted behind the name's closing parenthesis, which may hold anything. */
static int64_t start_ticks(void) {
  char text[1024];
  FILE *file = fopen("/proc/self/stat", "re");
  if (file == NULL)
    return 0;
  size_t len = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[len] = '\0';
  const char *field = strrchr(text, ')');
  for (int i = 2; field && i < 22; i++)
    field = strchr(field + 1, ' ');
  return field ? strtoll(field, NULL, 10) : 0;
}

static int64_t start_time(void *context) {
  (void)context;
  static _Atomic int64_t known;
  if (known == 0) {
    struct timespec uptime;
    clock_gettime(CLOCK_BOOTTIME, &uptime);
    int64_t since_boot = uptime.tv_sec * BUS_SECOND + uptime.tv_nsec / 1000;
    known = bus_wall_clock() - since_boot + start_ticks() * BUS_SECOND / sysconf(_SC_CLK_TCK);
  }
  return known;
}

static int64_t most_fds(void *context) {
  (void)context;
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : 0;
}

static int64_t log_lines_dropped(void *context) {
  (void)context;
  return bus_log_dropped();
}

void bus_metrics_register_process(void) {
  static char resident[] = "VmRSS:", anonymous[] = "RssAnon:", virtual[] = "VmSize:";
  static const struct {
    struct bus_metric_spec spec;
    int64_t (*read)(void *context);
    void *context;
  } metrics[] = {
      {BUS_GAUGE_SPEC("process_resident_memory_bytes", "Resident memory."), status_bytes, resident},
      {BUS_GAUGE_SPEC("process_resident_anon_bytes", "Resident memory that is the process's own."), status_bytes,
       anonymous},
      {BUS_COUNTER_SPEC("process_cpu_seconds_total", "User and system time spent.", .scale = 1e-6), cpu_microseconds,
       NULL},
      {BUS_GAUGE_SPEC("process_virtual_memory_bytes", "Address space."), status_bytes, virtual},
      {BUS_GAUGE_SPEC("process_open_fds", "Open file descriptors."), open_fds, NULL},
      {BUS_GAUGE_SPEC("process_max_fds", "The most file descriptors there may be."), most_fds, NULL},
      {BUS_GAUGE_SPEC("process_start_time_seconds", "Start of the process, since 1970.", .scale = 1e-6), start_time,
       NULL},
      {BUS_COUNTER_SPEC("bus_log_lines_dropped_total", "Log lines that stderr did not take in time."),
       log_lines_dropped, NULL},
  };
  for (size_t i = 0; i < BUS_COUNT(metrics); i++)
    bus_metric_callback(&metrics[i].spec, metrics[i].read, metrics[i].context);
  static const struct bus_metric_spec build =
      BUS_GAUGE_SPEC("bus_build_info", "1; the labels name the build.", .labels = {"version", "compiler"});
  bus_series_set(bus_metric_series(bus_metric_register(&build), (const char *const[]){ORDERBUS_VERSION, __VERSION__}),
                 1);
}
