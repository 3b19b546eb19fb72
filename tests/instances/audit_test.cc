// What the audit decides, on objects that no stamping of ours would make.
#include "instances/audit/audit.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/instances/object_builder.h"

namespace alcove::audit {
namespace {

Policy MakePolicy() {
  Policy policy;
  policy.instance = "//pkg:heap";
  policy.prefix = "h_";
  policy.names = {"malloc"};
  return policy;
}

ObjectBuilder GoodObject() {
  ObjectBuilder builder;
  builder.AddSymbol("h_malloc", STB_GLOBAL, STT_FUNC, 1, STV_PROTECTED);
  return builder;
}

// The findings without what all of them begin with.
std::vector<std::string> Findings(ObjectBuilder builder,
                                  const Policy& policy = MakePolicy()) {
  const std::string intro = "alcove audit: //pkg:heap (prefix h_): ";
  ElfObject object;
  std::string error;
  EXPECT_TRUE(ElfObject::Read(builder.Build(), &object, &error)) << error;
  std::vector<std::string> findings;
  for (const std::string& finding : Audit(object, policy)) {
    EXPECT_EQ(finding.substr(0, intro.size()), intro);
    findings.push_back(finding.substr(intro.size()));
  }
  return findings;
}

// Expects one finding that begins so.
void ExpectFinding(const ObjectBuilder& builder, const std::string& beginning,
                   const Policy& policy = MakePolicy()) {
  const std::vector<std::string> findings = Findings(builder, policy);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].substr(0, beginning.size()), beginning);
}

TEST(Audit, LetsAGoodObjectPass) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("anything", STB_LOCAL, STT_OBJECT, 1);
  EXPECT_TRUE(Findings(builder).empty());
}

TEST(Audit, AllowsOnlyTheExternalsOfThePolicy) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("__errno_location", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF);
  ExpectFinding(builder, "undefined symbol '__errno_location' is not");
  Policy policy = MakePolicy();
  policy.externals = {"__errno_location"};
  EXPECT_TRUE(Findings(builder, policy).empty());
}

TEST(Audit, RefusesWeakReferences) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("perhaps", STB_WEAK, STT_NOTYPE, SHN_UNDEF);
  ExpectFinding(builder, "undefined symbol 'perhaps' is not");
}

TEST(Audit, RefusesTheLinkersOwnSymbolToo) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("_GLOBAL_OFFSET_TABLE_", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF);
  ExpectFinding(builder, "undefined symbol '_GLOBAL_OFFSET_TABLE_' is not");
}

TEST(Audit, AllowsTheNoteOfInstancesAndNoOther) {
  ObjectBuilder builder = GoodObject();
  builder.AddSection(".note.alcove", SHT_NOTE, SHF_ALLOC, "");
  builder.AddSection(".note.gnu.property", SHT_NOTE, SHF_ALLOC, "");
  builder.AddSection(".note.comment", SHT_NOTE, 0, "");
  EXPECT_TRUE(Findings(builder).empty());
  builder.AddSection(".note.ABI-tag", SHT_NOTE, SHF_ALLOC, "");
  ExpectFinding(builder, "section '.note.ABI-tag' is a note of the program");
}

TEST(Audit, RefusesOtherPrefixes) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("g_malloc", STB_GLOBAL, STT_FUNC, 1);
  ExpectFinding(builder, "external symbol 'g_malloc' is not in the public");
}

TEST(Audit, RefusesThePrefixAlone) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("h_extra", STB_GLOBAL, STT_FUNC, 1);
  ExpectFinding(builder, "external symbol 'h_extra' is not in the public list");
}

TEST(Audit, RefusesAbsoluteSymbols) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("constant", STB_GLOBAL, STT_NOTYPE, SHN_ABS);
  ExpectFinding(builder, "external symbol 'constant' is not in the public");
}

TEST(Audit, RefusesPublicNamesOfTheWrongKind) {
  for (const auto& [bind, type, beginning] :
       std::vector<std::tuple<int, int, std::string>>{
           {STB_WEAK, STT_FUNC, "external symbol 'h_malloc' is weak"},
           {STB_GNU_UNIQUE, STT_OBJECT,
            "external symbol 'h_malloc' is STB_GNU_UNIQUE"},
           {11, STT_FUNC, "external symbol 'h_malloc' has the unknown binding"},
           {STB_GLOBAL, STT_OBJECT, "public symbol 'h_malloc' is no function"},
           {STB_GLOBAL, STT_TLS, "external symbol 'h_malloc' is thread-local"},
           {STB_GLOBAL, STT_GNU_IFUNC, "symbol 'h_malloc' is an IFUNC"},
       }) {
    ObjectBuilder builder;
    builder.AddSymbol("h_malloc", bind, type, 1, STV_PROTECTED);
    ExpectFinding(builder, beginning);
  }
}

TEST(Audit, RefusesHiddenPublicNames) {
  ObjectBuilder builder;
  builder.AddSymbol("h_malloc", STB_GLOBAL, STT_FUNC, 1, STV_HIDDEN);
  ExpectFinding(builder, "public symbol 'h_malloc' is hidden");
}

TEST(Audit, RefusesReplaceablePublicNames) {
  ObjectBuilder builder;
  builder.AddSymbol("h_malloc", STB_GLOBAL, STT_FUNC, 1, STV_DEFAULT);
  ExpectFinding(builder, "public symbol 'h_malloc' has default visibility");
}

TEST(Audit, RefusesALocalPublicName) {
  ObjectBuilder builder;
  builder.AddSymbol("h_malloc", STB_LOCAL, STT_FUNC, 1);
  ExpectFinding(builder, "public symbol 'h_malloc' is not defined");
}

// A policy with a public thread-local variable, and an object that has it.
Policy ThreadLocalPolicy() {
  Policy policy = MakePolicy();
  policy.thread_locals = {"heap"};
  return policy;
}

TEST(Audit, AllowsThePublicThreadLocal) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("h_heap", STB_GLOBAL, STT_TLS, 1, STV_PROTECTED, 8);
  EXPECT_TRUE(Findings(builder, ThreadLocalPolicy()).empty());
}

TEST(Audit, RefusesAThreadLocalThatIsNotOnTheList) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("h_heap", STB_GLOBAL, STT_TLS, 1, STV_PROTECTED, 8);
  ExpectFinding(builder, "external symbol 'h_heap' is thread-local");
  builder.AddSymbol("h_other", STB_GLOBAL, STT_TLS, 1, STV_PROTECTED, 8);
  ExpectFinding(builder, "external symbol 'h_other' is thread-local",
                ThreadLocalPolicy());
}

TEST(Audit, RefusesAMissingThreadLocal) {
  ExpectFinding(GoodObject(), "public symbol 'h_heap' is not defined",
                ThreadLocalPolicy());
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("h_heap", STB_LOCAL, STT_TLS, 1, STV_DEFAULT, 8);
  ExpectFinding(builder, "public symbol 'h_heap' is not defined",
                ThreadLocalPolicy());
}

TEST(Audit, RefusesPublicThreadLocalsOfTheWrongKind) {
  for (const auto& [bind, type, visibility, size, beginning] :
       std::vector<std::tuple<int, int, int, int, std::string>>{
           {STB_WEAK, STT_TLS, STV_PROTECTED, 8,
            "external symbol 'h_heap' is weak"},
           {STB_GLOBAL, STT_FUNC, STV_PROTECTED, 8,
            "public symbol 'h_heap' is not thread-local"},
           {STB_GLOBAL, STT_OBJECT, STV_PROTECTED, 8,
            "public symbol 'h_heap' is not thread-local"},
           {STB_GLOBAL, STT_TLS, STV_PROTECTED, 16,
            "public symbol 'h_heap' has 16 bytes"},
           {STB_GLOBAL, STT_TLS, STV_DEFAULT, 8,
            "public symbol 'h_heap' is thread-local and not protected"},
           {STB_GLOBAL, STT_TLS, STV_HIDDEN, 8,
            "public symbol 'h_heap' is thread-local and not protected"},
       }) {
    ObjectBuilder builder = GoodObject();
    builder.AddSymbol("h_heap", bind, type, 1, visibility, size);
    ExpectFinding(builder, beginning, ThreadLocalPolicy());
  }
}

TEST(Audit, RefusesLocalIfuncs) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("choose", STB_LOCAL, STT_GNU_IFUNC, 1);
  ExpectFinding(builder, "symbol 'choose' is an IFUNC");
}

TEST(Audit, RefusesComdatGroups) {
  ObjectBuilder builder = GoodObject();
  const int symbol = builder.AddSymbol("merged", STB_LOCAL, STT_FUNC, 1);
  const int group =
      builder.AddSection(".group", SHT_GROUP, 0, Bytes(Elf64_Word{GRP_COMDAT}));
  builder.header(group).sh_info = symbol;
  ExpectFinding(builder, "symbol 'merged' is in a COMDAT group");
}

TEST(Audit, RefusesLinkonceSections) {
  ObjectBuilder builder = GoodObject();
  builder.AddSection(".gnu.linkonce.t.old", SHT_PROGBITS, SHF_ALLOC, "");
  ExpectFinding(builder, "section '.gnu.linkonce.t.old' merges by name");
}

TEST(Audit, RefusesWhatRunsAtLoadByNameOrType) {
  for (const auto& [name, type] : std::vector<std::pair<std::string, int>>{
           {".init", SHT_PROGBITS},
           {".fini", SHT_PROGBITS},
           {".ctors", SHT_PROGBITS},
           {".dtors.65535", SHT_PROGBITS},
           {".init_array.00100", SHT_INIT_ARRAY},
           {".fini_array", SHT_PROGBITS},
           {".preinit_array", SHT_PREINIT_ARRAY},
           {".another_name", SHT_INIT_ARRAY},
       }) {
    ObjectBuilder builder = GoodObject();
    builder.AddSection(name, type, SHF_ALLOC, std::string(8, '\0'));
    ExpectFinding(builder, "section " + name + " runs at load or exit");
    ObjectBuilder empty = GoodObject();
    empty.AddSection(name, type, SHF_ALLOC, "");
    EXPECT_TRUE(Findings(empty).empty()) << name;
  }
}

TEST(Audit, CountsTlsWithItsAlignment) {
  ObjectBuilder builder = GoodObject();
  const int data = builder.AddSection(".tdata", SHT_PROGBITS,
                                      SHF_ALLOC | SHF_WRITE | SHF_TLS, "x");
  builder.header(data).sh_addralign = 4;
  const int zero =
      builder.AddSection(".tbss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS,
                         std::string(4, '\0'));
  builder.header(zero).sh_addralign = 4;
  EXPECT_TRUE(Findings(builder).empty());
  builder.header(zero).sh_addralign = 64;
  ExpectFinding(builder, "static TLS takes 128 bytes, the budget is 8");
  builder.header(zero).sh_addralign = ~0ull;
  ExpectFinding(builder, "static TLS takes 18446744073709551615 bytes");
}

// One relocation that needs the variable's place fixed is enough.
TEST(Audit, CountsNoStaticTlsWhereAllOfItIsFoundByCalls) {
  ObjectBuilder builder = GoodObject();
  builder.AddSection(".tbss", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE | SHF_TLS,
                     std::string(100, '\0'));
  const std::string beginning = "static TLS takes 100 bytes, the budget is 8";
  ExpectFinding(builder, beginning);
  builder.AddRelocation(1, R_X86_64_PC32);
  ExpectFinding(builder, beginning);
  for (const unsigned call :
       {R_X86_64_TLSGD, R_X86_64_TLSLD, R_X86_64_TLSDESC_CALL}) {
    ObjectBuilder calls = builder;
    calls.AddRelocation(1, call);
    EXPECT_TRUE(Findings(calls).empty()) << call;
    for (const unsigned fixed :
         {R_X86_64_GOTTPOFF, R_X86_64_TPOFF32, R_X86_64_TPOFF64, 44, 50}) {
      ObjectBuilder both = calls;
      both.AddRelocation(1, fixed);
      ExpectFinding(both, beginning);
    }
  }
}

TEST(Audit, ExpectsNoNameThatAKnobTakesAway) {
  ObjectBuilder builder = GoodObject();
  Policy policy = MakePolicy();
  policy.thread_locals = {"heap"};
  ExpectFinding(builder, "public symbol 'h_heap' is not defined", policy);
  policy.lacks = {"heap"};
  EXPECT_TRUE(Findings(builder, policy).empty());
  builder.AddSymbol("h_heap", STB_GLOBAL, STT_TLS, 1, STV_PROTECTED, 8);
  ExpectFinding(builder, "external symbol 'h_heap' is thread-local", policy);
}

TEST(WithHiddenSymbols, HidesWhatIsExternalAndDefined) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("local", STB_LOCAL, STT_OBJECT, 1);
  builder.AddSymbol("puts", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF);
  builder.AddSymbol("h_heap", STB_GLOBAL, STT_TLS, 1, STV_PROTECTED, 8);
  const std::string bytes = builder.Build();
  ElfObject object;
  std::string error;
  ASSERT_TRUE(ElfObject::Read(bytes, &object, &error)) << error;
  const std::string hidden = WithHiddenSymbols(bytes, object);
  ASSERT_TRUE(ElfObject::Read(hidden, &object, &error)) << error;
  for (const Symbol& symbol : object.symbols()) {
    const bool is_ours = symbol.name.substr(0, 2) == "h_";
    EXPECT_EQ(symbol.visibility, is_ours ? STV_HIDDEN : STV_DEFAULT)
        << symbol.name;
  }
  size_t changed = 0;
  for (size_t i = 0; i < bytes.size(); ++i) changed += bytes[i] != hidden[i];
  EXPECT_EQ(changed, 2u) << "nothing else";
}

TEST(Audit, RefusesAnExecutableStack) {
  ObjectBuilder builder = GoodObject();
  builder.header(2).sh_flags = SHF_EXECINSTR;
  ExpectFinding(builder, "it asks for an executable stack");
}

TEST(Count, SumsSectionsByUse) {
  ObjectBuilder builder = GoodObject();
  builder.AddSymbol("puts", STB_GLOBAL, STT_NOTYPE, SHN_UNDEF);
  builder.AddSection(".rodata", SHT_PROGBITS, SHF_ALLOC, "123");
  builder.AddSection(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, "12345");
  builder.AddSection(".comment", SHT_PROGBITS, 0, "1234567");
  const int bss =
      builder.AddSection(".bss", SHT_NOBITS, SHF_ALLOC | SHF_WRITE, "");
  builder.header(bss).sh_size = 1000;
  ElfObject object;
  std::string error;
  ASSERT_TRUE(ElfObject::Read(builder.Build(), &object, &error)) << error;
  EXPECT_EQ(ReportText(Count(object), MakePolicy()),
            "instance: //pkg:heap\n"
            "prefix: h_\n"
            "defined_externals: 1\n"
            "undefined_externals: 1\n"
            "tls_bytes: 0\n"
            "static_tls_bytes: 0\n"
            "text_bytes: 64\n"
            "constant_bytes: 3\n"
            "data_bytes: 5\n"
            "zeroed_bytes: 1000\n"
            "defines: h_malloc\n"
            "needs: puts\n");
}

TEST(ParsePublicNames, ReadsNamesAndComments) {
  Policy policy;
  std::string error;
  ASSERT_TRUE(
      ParsePublicNames("// A comment.\n\nALCOVE_PUBLIC_NAME(malloc)\n"
                       "ALCOVE_PUBLIC_THREAD_LOCAL(heap)\n"
                       "ALCOVE_PUBLIC_NAME(free)  // Another.",
                       &policy, &error));
  EXPECT_EQ(policy.names, (std::vector<std::string>{"malloc", "free"}));
  EXPECT_EQ(policy.thread_locals, (std::vector<std::string>{"heap"}));
}

TEST(ParsePublicNames, RefusesAnythingElse) {
  Policy policy;
  std::string error;
  EXPECT_FALSE(
      ParsePublicNames("ALCOVE_PUBLIC_NAME(a)\nmalloc\n", &policy, &error));
  EXPECT_EQ(error,
            "line 2 is not ALCOVE_PUBLIC_NAME(name) or "
            "ALCOVE_PUBLIC_THREAD_LOCAL(name)");
  EXPECT_FALSE(ParsePublicNames("ALCOVE_PUBLIC_NAME()\n", &policy, &error));
  EXPECT_FALSE(
      ParsePublicNames("ALCOVE_PUBLIC_THREAD_LOCAL()\n", &policy, &error));
  EXPECT_FALSE(ParsePublicNames("// Nothing.\n", &policy, &error));
  EXPECT_EQ(error, "it names nothing");
}

}  // namespace
}  // namespace alcove::audit
