#include "bench/programs/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace bench {

void Die(const std::string& message) { throw std::runtime_error(message); }

double Now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

namespace {

// In the child, before exec.
void Redirect(int to, const std::string& path, int flags) {
  const int file = open(path.c_str(), flags, 0666);
  if (file < 0 || dup2(file, to) < 0) {
    fprintf(stderr, "programs: %s: %s\n", path.c_str(), strerror(errno));
    _exit(127);
  }
  close(file);
}

}  // namespace

pid_t Start(const Command& command) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) Die(std::string("fork: ") + strerror(errno));
  if (child > 0) return child;

  // A server must not outlive us, whatever ends us.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  if (chdir(command.folder.c_str()) != 0) _exit(127);
  Redirect(STDIN_FILENO, command.input, O_RDONLY);
  Redirect(STDOUT_FILENO, command.output, O_WRONLY | O_CREAT | O_TRUNC);
  if (command.preload.empty()) {
    unsetenv("LD_PRELOAD");
  } else {
    setenv("LD_PRELOAD", command.preload.c_str(), 1);
  }
  // Answers must not depend on who asks.
  setenv("LC_ALL", "C", 1);
  std::vector<char*> words;
  for (const std::string& word : command.words) {
    words.push_back(const_cast<char*>(word.c_str()));
  }
  words.push_back(nullptr);
  execv(words[0], words.data());
  fprintf(stderr, "programs: %s: %s\n", words[0], strerror(errno));
  _exit(127);
}

Ended Wait(pid_t process) {
  Ended ended;
  rusage usage = {};
  while (wait4(process, &ended.status, 0, &usage) < 0) {
    if (errno != EINTR) Die(std::string("wait4: ") + strerror(errno));
  }
  ended.peak_kib = usage.ru_maxrss;
  return ended;
}

Ended RunToEnd(const Command& command) {
  const double begin = Now();
  Ended ended = Wait(Start(command));
  ended.seconds = Now() - begin;
  if (ended.status != 0) {
    const std::string how =
        WIFSIGNALED(ended.status)
            ? std::string("was ended by ") + strsignal(WTERMSIG(ended.status))
            : "ended with exit code " +
                  std::to_string(WEXITSTATUS(ended.status));
    Die(command.words[0] + " " + how);
  }
  return ended;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) Die("cannot write " + path);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Die("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace bench
