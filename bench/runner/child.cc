#include "bench/runner/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace bench {

namespace {

// More than this of a program's output is not of interest.
constexpr size_t kMostOutput = size_t{1} << 20;
constexpr int kPollMilliseconds = 50;

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Appends what is there; false at the end of the file.
bool ReadSome(int file, std::string* text) {
  char buffer[4096];
  const ssize_t size = read(file, buffer, sizeof(buffer));
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (text->size() < kMostOutput) text->append(buffer, size);
  return size > 0;
}

}  // namespace

std::vector<std::string> EnvironmentWithoutAllocators() {
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    bool drop = false;
    for (const std::string_view prefix :
         {"LD_PRELOAD=", "GLIBC_TUNABLES=", "MALLOC_", "MIMALLOC_", "TCMALLOC_",
          "TBB_MALLOC_", "HEAP"}) {
      drop |= std::string_view(*variable).substr(0, prefix.size()) == prefix;
    }
    if (!drop) kept.emplace_back(*variable);
  }
  return kept;
}

ChildResult RunChild(const std::vector<std::string>& command,
                     const std::string& library, double timeout_seconds) {
  ChildResult result;
  std::vector<std::string> arguments = command;
  std::vector<std::string> environment = EnvironmentWithoutAllocators();
  if (!library.empty()) environment.push_back("LD_PRELOAD=" + library);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);

  // Standard output, standard error, and the word of an exec that failed.
  int pipes[3][2];
  for (auto& ends : pipes) {
    if (pipe2(ends, O_CLOEXEC) != 0) {
      result.start_error = std::strerror(errno);
      return result;
    }
  }

  const double start = Now();
  const pid_t child = fork();
  if (child == 0) {
    // A group of its own, so that the timeout reaches what it starts.
    setpgid(0, 0);
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(pipes[0][1], STDOUT_FILENO);
    dup2(pipes[1][1], STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    const int error = errno;
    if (write(pipes[2][1], &error, sizeof(error)) < 0) _exit(126);
    _exit(127);
  }
  for (auto& ends : pipes) close(ends[1]);
  if (child < 0) {
    result.start_error = std::strerror(errno);
    for (auto& ends : pipes) close(ends[0]);
    return result;
  }

  for (int i = 0; i < 2; ++i) fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
  std::string* const texts[] = {&result.standard_output,
                                &result.standard_error};
  pollfd files[2] = {{pipes[0][0], POLLIN, 0}, {pipes[1][0], POLLIN, 0}};
  int status = 0;
  rusage usage = {};
  bool ended = false;
  while (!ended) {
    // Ends of files wake at once; a file that a grandchild holds open does not.
    if (files[0].fd >= 0 || files[1].fd >= 0) poll(files, 2, kPollMilliseconds);
    for (int i = 0; i < 2; ++i) {
      if (files[i].revents != 0 && !ReadSome(files[i].fd, texts[i])) {
        files[i].fd = -1;
      }
      files[i].revents = 0;
    }
    const bool open_files = files[0].fd >= 0 || files[1].fd >= 0;
    if (Now() - start > timeout_seconds && !result.timed_out) {
      result.timed_out = true;
      kill(-child, SIGKILL);
    }
    const int options = open_files || !result.timed_out ? WNOHANG : 0;
    ended = wait4(child, &status, options, &usage) == child;
    if (!ended && !open_files && !result.timed_out) {
      // Closed its output and lives on.
      timespec rest = {0, 1'000'000};
      nanosleep(&rest, nullptr);
    }
  }
  result.seconds = Now() - start;
  for (int i = 0; i < 2; ++i) {
    if (files[i].fd < 0) continue;
    size_t before;
    do {
      before = texts[i]->size();
    } while (ReadSome(files[i].fd, texts[i]) && texts[i]->size() > before);
  }
  int error = 0;
  if (read(pipes[2][0], &error, sizeof(error)) == sizeof(error)) {
    result.start_error = command[0] + ": " + std::strerror(error);
  }
  for (auto& ends : pipes) close(ends[0]);

  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  result.peak_kib = static_cast<double>(usage.ru_maxrss);
  return result;
}

}  // namespace bench
