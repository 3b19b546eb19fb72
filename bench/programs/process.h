// Starting programs and waiting for them.
#ifndef BENCH_PROGRAMS_PROCESS_H_
#define BENCH_PROGRAMS_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace bench {

struct Command {
  std::vector<std::string> words;  // the first is the program's full path
  std::string folder;              // to run in
  std::string input = "/dev/null";
  std::string output = "/dev/null";  // relative to `folder` if relative
  // For LD_PRELOAD; empty for none.
  std::string preload;
};

struct Ended {
  int status = -1;     // as from waitpid
  double seconds = 0;  // from its start to its end
  long peak_kib = 0;   // of it and those it waited for, the largest
};

// Throws std::runtime_error: what follows does so wherever it cannot do its
// work.
[[noreturn]] void Die(const std::string& message);

pid_t Start(const Command& command);
Ended Wait(pid_t process);
Ended RunToEnd(const Command& command);

void WriteFile(const std::string& path, const std::string& text);
std::string ReadFile(const std::string& path);

double Now();

}  // namespace bench

#endif  // BENCH_PROGRAMS_PROCESS_H_
