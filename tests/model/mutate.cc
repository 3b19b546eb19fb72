// mutate <mutants.txt> <name> <in> <out>
//
// Applies one mutant of the list to a source file, which must have the lines that
// it names exactly once.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: mutate mutants.txt name in out\n";
    return 1;
  }
  const std::string name = argv[2];
  std::ifstream list(argv[1]);
  std::string before, after, line;
  bool inside = false;
  while (std::getline(list, line)) {
    if (line.rfind("mutant ", 0) == 0) {
      std::istringstream words(line);
      std::string word, its_name;
      words >> word >> its_name;
      inside = its_name == name;
    } else if (inside && !line.empty() && line[0] != '#') {
      const std::string text = line.substr(1) + "\n";
      if (line[0] != '+') before += text;
      if (line[0] != '-') after += text;
    }
  }
  std::ifstream in(argv[3]);
  std::string source((std::istreambuf_iterator<char>(in)),
                     std::istreambuf_iterator<char>());
  const size_t at = before.empty() ? std::string::npos : source.find(before);
  if (at == std::string::npos ||
      source.find(before, at + 1) != std::string::npos) {
    std::cerr << argv[3] << " does not have the lines of " << name
              << " exactly once\n";
    return 1;
  }
  source.replace(at, before.size(), after);
  std::ofstream out(argv[4]);
  out << source;
  return out.good() ? 0 : 1;
}
