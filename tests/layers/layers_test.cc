// The sources obey the rules of layers.h, and the rules refuse what they
// should.
#include "tests/layers/layers.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "gtest/gtest.h"

namespace alcove_tests {
namespace {

namespace fs = std::filesystem;

TEST(Layers, SourcesObey) {
  std::set<std::string> folders;
  int files = 0;
  // A test runs in the root of its copy of the repository.
  for (const char* root : {"core", "platform"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string path = entry.path().string();
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      // A test's, with the library that a test may use.
      if (path.rfind("platform/fake/", 0) == 0) continue;
      std::ifstream file(path);
      std::ostringstream text;
      text << file.rdbuf();
      ASSERT_FALSE(text.str().empty()) << path;
      for (const std::string& broken : BrokenRules(path, text.str()))
        ADD_FAILURE() << broken;
      folders.insert(entry.path().parent_path().string());
      ++files;
    }
  }
  // Or the test would look at nothing and be content.
  EXPECT_GE(files, 50);
  for (const char* folder :
       {"core/api", "core/stats", "core/heap", "core/slab", "core/region",
        "core/size", "core/hardening", "core/base", "platform",
        "platform/linux_x86_64"}) {
    EXPECT_EQ(folders.count(folder), 1u) << folder;
  }
}

struct Case {
  const char* path;
  const char* line;
};

class Refused : public testing::TestWithParam<Case> {};
class Allowed : public testing::TestWithParam<Case> {};

TEST_P(Refused, IsRefused) {
  const auto broken =
      BrokenRules(GetParam().path, std::string("\n") + GetParam().line + "\n");
  ASSERT_EQ(broken.size(), 1u) << GetParam().path << " " << GetParam().line;
  EXPECT_EQ(broken[0].find(std::string(GetParam().path) + ":2: "), 0u)
      << broken[0];
}

TEST_P(Allowed, IsAllowed) {
  EXPECT_EQ(BrokenRules(GetParam().path, GetParam().line),
            std::vector<std::string>());
}

const Case kRefused[] = {
    // Upward.
    {"core/heap/heap.h", "#include \"core/api/state.h\""},
    {"core/hardening/invariant.h", "#include \"core/heap/heap.h\""},
    {"core/base/bits.h", "#include \"core/size/size_class.h\""},
    {"core/slab/slab.h", "  #  include \"core/heap/heap.h\"  // why"},
    {"core/heap/heap.cc", "#include \"core/stats/stats.h\""},
    {"platform/platform.h", "#include \"core/base/bits.h\""},
    {"platform/linux_x86_64/memory.cc", "#include \"core/region/range.h\""},
    // Aside.
    {"core/size/size_class.h", "#include \"core/hardening/invariant.h\""},
    {"core/stats/stats.h", "#include \"core/arena/arena.h\""},
    // Around the contract, or to nowhere.
    {"core/base/line.cc", "#include \"platform/linux_x86_64/syscall.h\""},
    {"core/region/range.cc", "#include \"platform/fake/fake.h\""},
    {"core/heap/heap.h", "#include \"tests/core/testing.h\""},
    {"core/heap/heap.h", "#include \"heap.h\""},
    {"core/heap/heap.h", "#include \"alcove_config.h\""},
    {"core/heap/heap.h", "#include ALCOVE_PUBLIC_HEADER"},
    {"core/heap/heap.h", "#include ALCOVE_INLINE_HEADER"},
    // Libraries.
    {"core/heap/heap.h", "#include <atomic>"},
    {"core/base/mem.h", "#include <string.h>"},
    {"core/region/range.cc", "#include <sys/mman.h>"},
    {"platform/linux_x86_64/memory.cc", "#include <sys/mman.h>"},
    // What the preprocessor decides.
    {"core/heap/heap.h", "#ifdef NDEBUG"},
    {"core/heap/heap.h", "#if ALCOVE_KNOB_check_invariants"},
    {"core/heap/heap.h", "#ifndef NDEBUG"},
    {"core/heap/heap.h", "#ifndef ALCOVE_CORE_HEAP_BIN_H_"},
    {"core/heap/heap.h", "  # else"},
    // The system and the CPU.
    {"core/base/bits.h", "asm volatile(\"\");"},
    {"core/base/bits.h", "__builtin_ia32_pause();"},
    {"core/base/bits.h", "constexpr bool x = __x86_64__;"},
    {"core/region/range.cc", "void* p = mmap(0, 1, 2, 3, 4, 5);"},
    {"core/region/range.cc", "syscall(SYS_madvise, 1);"},
    {"core/base/bits.h", "auto x = _mm_setzero_si128();"},
};

const Case kAllowed[] = {
    {"core/heap/heap.h", "#include \"core/heap/bin.h\""},
    {"core/heap/heap.h", "#include \"core/base/bits.h\""},
    {"core/heap/heap.h", "#include \"platform/platform.h\""},
    {"core/hardening/misuse.cc", "#include \"core/base/line.h\""},
    {"core/api/entry_points.h", "#include ALCOVE_PUBLIC_HEADER"},
    {"core/api/inline_layout.cc", "#include ALCOVE_INLINE_HEADER"},
    {"core/base/config.h", "#include \"alcove_config.h\""},
    {"core/arena/arena.h", "#include \"core/heap/heap.h\""},
    {"platform/platform.h", "#include \"core/base/config.h\""},
    {"platform/platform.h", "#include \"platform/cpu.h\""},
    {"platform/cpu.h", "#if defined(__x86_64__)"},
    {"platform/linux_x86_64/cpu.h", "asm volatile(\"\");"},
    {"core/heap/heap.h", "#include <stddef.h>"},
    {"core/heap/heap.h", "#ifndef ALCOVE_CORE_HEAP_HEAP_H_"},
    {"core/heap/heap.h", "// #ifdef, mmap and asm are words here"},
    {"core/heap/heap.h", "/* and\n #if mmap\n here */ int x;"},
    {"core/heap/heap.h", "const char* s = \"mmap \\\" asm\";"},
    {"core/heap/heap.h",
     "int asmx, mmapped; const int n = 1'000; char c = '\"';"},
};

INSTANTIATE_TEST_SUITE_P(All, Refused, testing::ValuesIn(kRefused));
INSTANTIATE_TEST_SUITE_P(All, Allowed, testing::ValuesIn(kAllowed));

TEST(Layers, AFileInNoLayerIsRefused) {
  EXPECT_EQ(BrokenRules("core/new_folder/x.h", "").size(), 1u);
  EXPECT_EQ(BrokenRules("core/x.h", "").size(), 1u);
}

}  // namespace
}  // namespace alcove_tests
