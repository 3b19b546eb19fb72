// Real programs, as they come in Debian's packages, on input of our own; a
// source of rows for bench/runner:
//
//   programs --list             a line "name<TAB>what it stands for" for each
//   programs [--quick] NAME     runs one with what LD_PRELOAD is set to
//   programs --input NAME FOLDER    only writes what it would be given to do
//
// Prints, beside what bench/runner/source.h asks for, a line "answer: ..." that
// is the same whatever the malloc. Where the program is not there, the exit
// code is 77 after "missing: <package>".
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/programs/input.h"
#include "bench/programs/process.h"

namespace bench {
namespace {

constexpr int kMissing = 77;

// A folder that is gone when this is.
class Scratch {
 public:
  Scratch() {
    const char* const base = getenv("TMPDIR");
    path_ = std::string(base == nullptr ? "/tmp" : base) + "/programs.XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) Die("cannot make " + path_);
  }
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

struct Measured {
  double seconds = 0;
  long peak_kib = 0;
  std::string answer;
};

// What LD_PRELOAD says, by a path that holds in any folder.
std::string Preload() {
  const char* const value = getenv("LD_PRELOAD");
  if (value == nullptr) return "";
  char path[PATH_MAX];
  const bool is_file = strchr(value, '/') != nullptr;
  return is_file && realpath(value, path) != nullptr ? path : value;
}

std::string Digest(const std::string& text) {
  unsigned long long hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  char digits[64];
  snprintf(digits, sizeof(digits), "%016llx of %zu bytes", hash, text.size());
  return digits;
}

Measured MeasureCommand(const Command& command, const std::string& answer) {
  const Ended ended = RunToEnd(command);
  return {ended.seconds, ended.peak_kib, Digest(ReadFile(answer))};
}

// ---- The rows ---------------------------------------------------------------

Measured Gxx(const Scratch& scratch, int amount) {
  WriteFile(scratch.File("input.cc"), TemplateSource(amount));
  Command command;
  command.words = {"/usr/bin/g++", "-std=c++17", "-O1",     "-S",
                   "-o",           "output.s",   "input.cc"};
  command.folder = scratch.path();
  command.preload = Preload();
  return MeasureCommand(command, scratch.File("output.s"));
}

Measured Python3(const Scratch& scratch, int amount) {
  WriteFile(scratch.File("input.py"), PythonScript(amount));
  Command command;
  // Isolated: no site, no environment.
  command.words = {"/usr/bin/python3", "-I", "-S", "input.py"};
  command.folder = scratch.path();
  command.output = "output";
  command.preload = Preload();
  return MeasureCommand(command, scratch.File("output"));
}

Measured Sqlite3(const Scratch& scratch, int amount) {
  WriteFile(scratch.File("input.sql"), SqlScript(amount));
  Command command;
  command.words = {"/usr/bin/sqlite3", "-batch", ":memory:"};
  command.folder = scratch.path();
  command.input = "input.sql";
  command.output = "output";
  command.preload = Preload();
  return MeasureCommand(command, scratch.File("output"));
}

// redis-server and who asks it, over a socket in the scratch folder: a port
// might be somebody else's.
class Redis {
 public:
  Redis(const Scratch& scratch) : scratch_(scratch) {
    Command command;
    command.words = {"/usr/bin/redis-server",
                     "--port",
                     "0",
                     "--unixsocket",
                     "redis.sock",
                     "--save",
                     "",
                     "--appendonly",
                     "no"};
    command.folder = scratch.path();
    command.output = "redis.log";
    command.preload = Preload();
    // Debian's is linked with jemalloc: without a preload that would be
    // measured under glibc's name.
    if (command.preload.empty()) command.preload = "libc.so.6";
    server_ = Start(command);
    for (int tries = 0; access(scratch.File("redis.sock").c_str(), F_OK) != 0;
         ++tries) {
      usleep(10'000);
      if (tries == 1000) Die("redis-server did not start");
    }
  }

  // What a client prints.
  std::string Ask(std::vector<std::string> words) {
    Command command;
    command.words = std::move(words);
    command.words.insert(command.words.begin() + 1, {"-s", "redis.sock"});
    command.folder = scratch_.path();
    command.output = "answer";
    RunToEnd(command);
    return ReadFile(scratch_.File("answer"));
  }

  Ended Stop() {
    Ask({"/usr/bin/redis-cli", "shutdown", "nosave"});
    return Wait(server_);
  }

 private:
  const Scratch& scratch_;
  pid_t server_;
};

Measured RedisServer(const Scratch& scratch, int amount) {
  Redis redis(scratch);
  const std::string requests = std::to_string(amount);
  const double begin = Now();
  // Not -r: with random keys there would be no answer to compare. The lists and
  // sets grow all the same.
  for (const char* values : {"16", "300", "4000"}) {
    redis.Ask({"/usr/bin/redis-benchmark", "-n", requests, "-c", "20", "-P",
               "16", "-d", values, "-q", "-t",
               "set,get,incr,lpush,rpush,lpop,sadd,hset,zadd,mset"});
    // Keys that expire, get longer and make room.
    redis.Ask({"/usr/bin/redis-cli", "eval",
               "for i = 1, tonumber(ARGV[1]) do "
               "redis.call('set', 'k' .. i, string.rep('v', (i * 7919) % "
               "ARGV[2])) "
               "if i % 3 == 0 then redis.call('append', 'k' .. (i - 1), "
               "string.rep('w', i % 500)) end "
               "if i % 5 == 0 then redis.call('del', 'k' .. (i - 3)) end end "
               "return redis.call('dbsize')",
               "0", requests, values});
  }
  const double seconds = Now() - begin;
  std::string answer;
  for (const std::vector<std::string>& question :
       std::vector<std::vector<std::string>>{
           {"dbsize"},
           {"llen", "mylist"},
           {"strlen", "k2"},
           {"get", "k1001"},
           {"eval",
            "local s = 0 for i = 1, tonumber(ARGV[1]) do s = s + "
            "redis.call('strlen', 'k' .. i) end return s",
            "0", requests}}) {
    std::vector<std::string> words = {"/usr/bin/redis-cli"};
    words.insert(words.end(), question.begin(), question.end());
    answer += redis.Ask(words);
  }
  const Ended ended = redis.Stop();
  if (ended.status != 0) Die("redis-server did not end well");
  return {seconds, ended.peak_kib, Digest(answer)};
}

struct Row {
  const char* name;
  const char* what;
  const char* package;
  std::vector<const char*> programs;
  Measured (*run)(const Scratch&, int amount);
  std::string (*input)(int amount);  // null: none
  int amount;
  int quick_amount;
};

const std::vector<Row>& Rows() {
  static const auto* const rows = new std::vector<Row>{
      {"program_gxx",
       "g++ compiling heavy templates",
       "g++",
       {"/usr/bin/g++"},
       Gxx,
       TemplateSource,
       8,
       1},
      {"program_python3",
       "python3: JSON, sorting, strings and dicts",
       "python3",
       {"/usr/bin/python3"},
       Python3,
       PythonScript,
       20000,
       1000},
      {"program_sqlite3",
       "sqlite3: inserts, indexes, joins, in memory",
       "sqlite3",
       {"/usr/bin/sqlite3"},
       Sqlite3,
       SqlScript,
       60000,
       3000},
      {"program_redis",
       "redis-server under redis-benchmark",
       "redis-server",
       {"/usr/bin/redis-server", "/usr/bin/redis-cli",
        "/usr/bin/redis-benchmark"},
       RedisServer,
       nullptr,
       20000,
       1000},
  };
  return *rows;
}

const Row* FindRow(const char* name) {
  for (const Row& row : Rows()) {
    if (strcmp(row.name, name) == 0) return &row;
  }
  return nullptr;
}

int RunRow(const Row& row, bool quick) {
  for (const char* program : row.programs) {
    if (access(program, X_OK) == 0) continue;
    printf("missing: %s\nbench: missing=%s\n", row.package, row.package);
    return kMissing;
  }
  const Scratch scratch;
  const Measured measured =
      row.run(scratch, quick ? row.quick_amount : row.amount);
  printf("bench: seconds=%.6f\nbench: peak_kib=%ld\nanswer: %s\n",
         measured.seconds, measured.peak_kib, measured.answer.c_str());
  return 0;
}

int Main(int argc, char** argv) {
  std::vector<const char*> names;
  bool quick = false;
  bool input = false;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--list") == 0) {
      for (const Row& row : Rows()) printf("%s\t%s\n", row.name, row.what);
      return 0;
    }
    if (strcmp(argv[i], "--quick") == 0) {
      quick = true;
    } else if (strcmp(argv[i], "--input") == 0) {
      input = true;
    } else {
      names.push_back(argv[i]);
    }
  }
  const Row* const row = names.empty() ? nullptr : FindRow(names[0]);
  if (row == nullptr || names.size() != (input ? 2u : 1u)) {
    fprintf(stderr,
            "usage: programs --list | [--quick] NAME | --input NAME FOLDER\n");
    return 64;
  }
  if (!input) return RunRow(*row, quick);
  if (row->input == nullptr) Die("there is no input to write for this one");
  WriteFile(std::string(names[1]) + "/input",
            row->input(quick ? row->quick_amount : row->amount));
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  try {
    return bench::Main(argc, argv);
  } catch (const std::exception& error) {
    fprintf(stderr, "programs: %s\n", error.what());
    return 1;
  }
}
