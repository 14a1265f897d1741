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

static int64_t log_lines_dropped(void *context) {
  (void)context;
  return bus_log_dropped();
}

void bus_metrics_register_process(void) {
  static char resident[] = "VmRSS:", anonymous[] = "RssAnon:";
  static const struct bus_metric_spec rss = {
      .name = "process_resident_memory_bytes", .help = "Resident memory.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec anon = {
      .name = "process_resident_anon_bytes", .help = "Resident memory that is the process's own.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec cpu = {
      .name = "process_cpu_seconds_total", .help = "User and system time spent.", .kind = BUS_COUNTER, .scale = 1e-6};
  static const struct bus_metric_spec fds = {
      .name = "process_open_fds", .help = "Open file descriptors.", .kind = BUS_GAUGE};
  static const struct bus_metric_spec start = {.name = "process_start_time_seconds",
                                               .help = "Start of the process, since 1970.",
                                               .kind = BUS_GAUGE,
                                               .scale = 1e-6};
  bus_metric_callback(&rss, status_bytes, resident);
  bus_metric_callback(&anon, status_bytes, anonymous);
  bus_metric_callback(&cpu, cpu_microseconds, NULL);
  bus_metric_callback(&fds, open_fds, NULL);
  static const struct bus_metric_spec dropped = {.name = "bus_log_lines_dropped_total",
                                                 .help = "Log lines that stderr did not take in time.",
                                                 .kind = BUS_COUNTER};
  bus_metric_callback(&start, start_time, NULL);
  bus_metric_callback(&dropped, log_lines_dropped, NULL);
}
