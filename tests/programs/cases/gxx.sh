# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="g++ -O2 on templates and the standard library"
packages="g++"
needs=(/usr/bin/g++)
version() { g++ --version; }

prepare() {
  cat >input.cc <<'CPP'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>
template <int N> struct Fold {
  using List = std::tuple<std::map<int, std::vector<std::string>>, std::variant<int, std::string, Fold<N - 1>*>,
                          std::function<int(Fold<N - 1>)>>;
  static int Run(int x) {
    std::map<std::string, std::vector<int>> m;
    std::unordered_map<int, std::string> u;
    for (int i = 0; i < N; ++i) m[std::to_string(i)].push_back(x), u[i] = std::to_string(x);
    std::vector<std::pair<std::string, int>> v;
    for (auto& [k, w] : m) v.emplace_back(k + u[N / 2], w.front());
    std::sort(v.begin(), v.end(), [](auto& a, auto& b) { return a.second + N < b.second; });
    std::variant<int, std::string> choice = N % 2 ? std::variant<int, std::string>(N) : v.front().first;
    return int(v.size()) + Fold<N - 1>::Run(x + std::visit([](auto& c) { return int(sizeof(c)); }, choice));
  }
};
template <> struct Fold<0> { static int Run(int x) { return x; } };
CPP
  echo "int main() { std::cout << Fold<$(quantity 20 4)>::Run(1) << std::regex_replace(std::string(\"abc\"), std::regex(\"b+\"), \"x\") << std::endl; }" >>input.cc
}

work() {
  preloaded g++ -std=c++17 -O2 -o output input.cc
  cksum <output
  preloaded ./output
}
