// Runs a command to its end and the ends of all that it leaves running, and
// appends the largest resident set of any of them, in KiB, and the processor
// time of all of them, in seconds, to a file:
//
//   measure FILE COMMAND...
//
// Ends as the command does.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double Seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  // Daemons become our children when their parents end.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return 70;
  const char* const preload = getenv("PROGRAMS_PRELOAD");
  const pid_t child = fork();
  if (child < 0) return 71;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // lest a server stays behind
    if (preload != NULL && *preload != '\0') setenv("LD_PRELOAD", preload, 1);
    unsetenv("PROGRAMS_PRELOAD");
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    _exit(127);
  }
  // What ends a server from outside is for the server.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  int result = 0;
  for (;;) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended < 0 && errno == EINTR) continue;
    if (ended < 0) break;
    if (ended == child) {
      result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
  }
  struct rusage usage = {0};
  getrusage(RUSAGE_CHILDREN, &usage);
  FILE* const file = fopen(argv[1], "a");
  if (file == NULL ||
      fprintf(file, "%ld %.3f\n", usage.ru_maxrss,
              Seconds(usage.ru_utime) + Seconds(usage.ru_stime)) < 0) {
    return 74;
  }
  fclose(file);
  return result;
}
