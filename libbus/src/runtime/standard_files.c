/* A closed descriptor 0, 1 or 2 would be the number of the next socket, and a log line would go into it. */
#include <bus/process.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void bus_process_standard_files(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
      (void)open("/dev/null", O_RDWR); /* takes the lowest free number, which is fd; stays open in children */
}
