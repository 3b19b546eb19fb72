// Shows every negative fixture to the audit program, as the build does, and
// expects it to fail with the one line that names the symbol.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace {

constexpr char kFixtures[] = "tests/instances/fixtures/";
constexpr char kToyNames[] = "tests/instances/toy/public_names.def";

struct Outcome {
  int status;
  std::string output;
  bool wrote_object;
};

Outcome RunAudit(const std::string& prefix, const std::string& object,
                 const std::string& names, int static_tls_bytes = 8) {
  const std::string copy = testing::TempDir() + "/audited.o";
  std::remove(copy.c_str());
  const std::string command =
      "instances/audit/audit --instance //fixture:x --prefix " + prefix +
      " --public_names " + names + " --static_tls_bytes " +
      std::to_string(static_tls_bytes) + " --object " + object + " --output " +
      copy + " --report " + testing::TempDir() + "/report.txt 2>&1";
  Outcome outcome;
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  for (int c; (c = std::fgetc(pipe)) != EOF;)
    outcome.output += static_cast<char>(c);
  outcome.status = WEXITSTATUS(pclose(pipe));
  outcome.wrote_object = std::ifstream(copy).good();
  return outcome;
}

// The audit of the fixture `name` has to say exactly `finding`, and nothing
// else.
void ExpectRefusal(const std::string& name, const std::string& finding,
                   const std::string& names = kToyNames,
                   int static_tls_bytes = 8) {
  const std::string prefix = name + "_";
  const Outcome outcome =
      RunAudit(prefix, kFixtures + (name + ".alcove/unaudited.o"), names,
               static_tls_bytes);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_EQ(outcome.output, "alcove audit: //fixture:x (prefix " + prefix +
                                "): " + finding + "\n");
  EXPECT_FALSE(outcome.wrote_object);
}

TEST(Refusals, GoodInstanceIsNotRefused) {
  const Outcome outcome = RunAudit(
      "toy_", "tests/instances/toy_heap.alcove/unaudited.o", kToyNames);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(outcome.wrote_object);
}

TEST(Refusals, LeakedSymbol) {
  ExpectRefusal("leaked",
                "external symbol 'fixture_leaked' is not in the public list; "
                "give it internal "
                "linkage or hidden visibility, or add it to public_names.def");
}

TEST(Refusals, LeakedSymbolInTheRealCore) {
  ExpectRefusal("real_leaking",
                "external symbol 'fixture_leaked' is not in the public list; "
                "give it internal "
                "linkage or hidden visibility, or add it to public_names.def",
                "core/api/public_names.def");
}

TEST(Refusals, UndefinedLibcSymbol) {
  ExpectRefusal("needs_libc",
                "undefined symbol 'puts' is not on the allow-list; do without "
                "it, or name it in "
                "`externals` of the knob that needs it");
}

TEST(Refusals, ConstructorOfVariable) {
  ExpectRefusal("constructor",
                "symbol '_GLOBAL__sub_I_constructor.cc' runs at load or exit, "
                "from section .init_array; make the "
                "variable constinit, or initialize it on first use");
}

TEST(Refusals, ConstructorFunction) {
  ExpectRefusal("attribute_constructor",
                "symbol '_ZL13FixtureAtLoadv' runs at load or exit, from "
                "section .init_array; "
                "make the variable constinit, or initialize it on first use");
}

TEST(Refusals, DestructorFunction) {
  ExpectRefusal("destructor",
                "symbol 'fixture_at_exit' runs at load or exit, from section "
                ".fini_array; make "
                "the variable constinit, or initialize it on first use");
}

TEST(Refusals, TooMuchStaticTls) {
  ExpectRefusal("static_tls",
                "static TLS takes 80 bytes, the budget is 8 "
                "(static_tls_bytes); thread-local are "
                "'_ZL15fixture_scratch', '_ZN23alcove_core_static_tls_4lastE'");
}

TEST(Refusals, WeakSymbol) {
  ExpectRefusal("weak",
                "external symbol 'fixture_weak' is weak, so that another "
                "definition can replace "
                "it; give it internal linkage");
}

TEST(Refusals, GnuUniqueSymbol) {
  ExpectRefusal("unique",
                "external symbol 'fixture_unique' is STB_GNU_UNIQUE, one for "
                "the whole process; "
                "compile with -fno-gnu-unique, or do not keep state in an "
                "inline variable or a "
                "template's static");
}

TEST(Refusals, CommonBlock) {
  ExpectRefusal("common",
                "external symbol 'fixture_common' is a common block, which "
                "merges by name; give "
                "it internal linkage");
}

TEST(Refusals, ExternalThreadLocal) {
  ExpectRefusal("external_tls",
                "external symbol 'fixture_external_tls' is thread-local; give "
                "it internal "
                "linkage",
                kToyNames, 16);
}

// Of thread-local variables only the one that is on the list passes.
TEST(Refusals, SecondThreadLocalInTheRealCore) {
  ExpectRefusal("real_second_tls",
                "external symbol 'real_second_tls_thread_heap_v2' is "
                "thread-local; give it internal linkage",
                "core/api/public_names.def", 16);
}

TEST(Refusals, Ifunc) {
  ExpectRefusal("ifunc",
                "symbol 'fixture_chosen' is an IFUNC, whose resolver runs at "
                "load; choose on "
                "first use");
}

TEST(Refusals, NameThatIsNotPublic) {
  ExpectRefusal("fewer_names",
                "external symbol 'fewer_names_copy' is not in the public list; "
                "give it internal "
                "linkage or hidden visibility, or add it to public_names.def",
                "tests/instances/fixtures/fewer_names.def");
}

TEST(Refusals, PublicNameThatIsMissing) {
  ExpectRefusal("more_names",
                "public symbol 'more_names_forgotten' is not defined; define "
                "it in core/api or "
                "take it off public_names.def",
                "tests/instances/fixtures/more_names.def");
}

}  // namespace
