// Instances of one core beside each other, and what the audit counted in a real
// one.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

#include "instances/audit/elf_object.h"
#include "tests/instances/toy_deep_heap.h"
#include "tests/instances/toy_headers.h"
#include "tests/instances/toy_heap.h"

namespace {

TEST(Instance, HasStateOfItsOwn) {
  EXPECT_EQ(toy_count(), 1);
  EXPECT_EQ(toy_count(), 2);
  EXPECT_EQ(toy_deep_count(), 1);
  EXPECT_EQ(toy_plain_count(), 1);
  EXPECT_EQ(toy::Count(), 3);
  EXPECT_EQ(toy_deep::Count(), 2);
}

TEST(Instance, HasKnobsOfItsOwn) {
  char to = 0;
  const char from = 'x';
  EXPECT_EQ(toy_copy(&to, &from, 1), 3);
  EXPECT_EQ(toy_deep_copy(&to, &from, 1), 10);
  EXPECT_EQ(toy_plain_copy(&to, &from, 1), 5);
  EXPECT_EQ(to, 'x');
}

TEST(Instance, DescribesItself) {
  EXPECT_STREQ(toy_config(), R"({"depth":3,"eager":false,"output":"none",)"
                             R"("prefix":"toy_","version":"9.8.7"})");
  EXPECT_STREQ(toy_deep_config(), R"({"depth":10,"eager":true,"output":"libc",)"
                                  R"("prefix":"toy_deep_","version":"9.8.7"})");
}

// The compiler's own calls end in this instance, under its name.
TEST(Instance, CarriesItsOwnMemoryFunctions) {
  std::ifstream file("tests/instances/toy_heap.alcove/audited.o",
                     std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file),
                          std::istreambuf_iterator<char>()};
  alcove::audit::ElfObject object;
  std::string error;
  ASSERT_TRUE(alcove::audit::ElfObject::Read(bytes, &object, &error)) << error;
  std::set<std::string> locals;
  for (const auto& symbol : object.symbols()) {
    if (symbol.bind == STB_LOCAL) locals.insert(symbol.name);
  }
  for (const char* name : {"memcmp", "memcpy", "memmove", "memset"}) {
    EXPECT_EQ(locals.count(name), 0u) << name;
    EXPECT_EQ(locals.count(std::string("toy_") + name), 1u) << name;
  }
}

// The lines of an audit's report; of `defines` and `needs` there are many.
std::multimap<std::string, std::string> ReadLines(const std::string& name) {
  std::ifstream file("tests/instances/" + name + ".alcove/audit.txt");
  std::multimap<std::string, std::string> lines;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(": ");
    lines.emplace(line.substr(0, colon), line.substr(colon + 2));
  }
  return lines;
}

std::map<std::string, std::string> ReadReport(const std::string& name) {
  const auto lines = ReadLines(name);
  return {lines.begin(), lines.end()};
}

std::set<std::string> NeedsOf(const std::string& name) {
  const auto lines = ReadLines(name);
  const auto [begin, end] = lines.equal_range("needs");
  std::set<std::string> needs;
  for (auto line = begin; line != end; ++line) needs.insert(line->second);
  return needs;
}

TEST(RealInstance, NeedsNothing) {
  auto report = ReadReport("real_heap");
  EXPECT_EQ(report["instance"], "//tests/instances:real_heap");
  EXPECT_EQ(report["prefix"], "real_");
  EXPECT_EQ(report["undefined_externals"], "0");
  EXPECT_EQ(report.count("needs"), 0u);
  EXPECT_EQ(report["static_tls_bytes"], "8");
}

TEST(RealInstance, NeedsAllThatAKnobAllowsAndNoMore) {
  EXPECT_EQ(NeedsOf("real_background_heap"),
            (std::set<std::string>{
                "__errno_location", "pthread_attr_destroy", "pthread_attr_init",
                "pthread_attr_setstacksize", "pthread_create", "pthread_join",
                "pthread_sigmask", "sigfillset"}));
}

}  // namespace
