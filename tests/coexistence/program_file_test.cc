// The finished program, as the linker left it: twelve instances side by side in
// one file have nothing in common.
#include "tests/coexistence/program_file.h"

#include <elf.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "registry/registry.h"
#include "tests/coexistence/heaps.h"

namespace coexistence {
namespace {

constexpr char kThreadHeap[] = "thread_heap_v1";

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

class ProgramFileTest : public testing::Test {
 protected:
  // The instance that a symbol is part of, by its name: those inside of it are
  // in a C++ namespace that ends in the prefix.
  static const Heap* InstanceOf(const Symbol& symbol) {
    for (const Heap& heap : Heaps()) {
      if (StartsWith(symbol.name, heap.prefix) ||
          symbol.name.find(std::string("alcove_core_") + heap.prefix) !=
              std::string::npos) {
        return &heap;
      }
    }
    return nullptr;
  }

  // Its public symbols, the prefix left out.
  std::map<std::string, Symbol> PublicSymbols(const Heap& heap) const {
    std::map<std::string, Symbol> found;
    for (const Symbol& symbol : symbols_) {
      if (!StartsWith(symbol.name, heap.prefix)) continue;
      const std::string name = symbol.name.substr(std::strlen(heap.prefix));
      // Names inside are known to nobody outside.
      if (symbol.bind() == STB_LOCAL) continue;
      EXPECT_TRUE(found.emplace(name, symbol).second)
          << symbol.name << " is there twice";
    }
    return found;
  }

  const ProgramFile file_;
  const std::vector<Symbol> symbols_ = file_.Symbols(SHT_SYMTAB);
};

TEST_F(ProgramFileTest, PublicNamesAreDefinedOnceEach) {
  std::map<std::string, std::set<std::string>> names_of_version;
  for (const Heap& heap : Heaps()) {
    const auto symbols = PublicSymbols(heap);
    std::set<std::string> names;
    for (const auto& [name, symbol] : symbols) {
      names.insert(name);
      EXPECT_TRUE(symbol.IsDefined()) << symbol.name;
      EXPECT_NE(symbol.entry.st_shndx, SHN_COMMON) << symbol.name;
      EXPECT_EQ(symbol.bind(), STB_GLOBAL) << symbol.name;
      EXPECT_EQ(symbol.type(), name == kThreadHeap ? STT_TLS : STT_FUNC)
          << symbol.name;
    }
    for (const char* const name :
         {"malloc", "free", "calloc", "realloc", "aligned_alloc", "owns",
          "arena_create", "arena_destroy", "shutdown", "version", kThreadHeap})
      EXPECT_EQ(names.count(name), 1u) << heap.prefix << name;
    const auto [first, is_new] = names_of_version.emplace(heap.version, names);
    EXPECT_EQ(first->second, names) << heap.prefix;
  }
  EXPECT_EQ(names_of_version.size(), 2u);
}

TEST_F(ProgramFileTest, NoSymbolIsWeakUniqueOrCommon) {
  std::map<const Heap*, size_t> counts;
  for (const Symbol& symbol : symbols_) {
    const Heap* const heap = InstanceOf(symbol);
    if (heap == nullptr) continue;
    ++counts[heap];
    EXPECT_TRUE(symbol.bind() == STB_GLOBAL || symbol.bind() == STB_LOCAL)
        << symbol.name;
    EXPECT_TRUE(symbol.IsDefined()) << symbol.name;
    EXPECT_NE(symbol.entry.st_shndx, SHN_COMMON) << symbol.name;
    EXPECT_NE(symbol.type(), STT_COMMON) << symbol.name;
    // What is inside of an instance is its own affair.
    EXPECT_TRUE(symbol.bind() == STB_LOCAL ||
                StartsWith(symbol.name, heap->prefix))
        << symbol.name;
  }
  for (const Heap& heap : Heaps()) EXPECT_GT(counts[&heap], 200u);
}

// No byte of code or of state is two instances', or an instance's and anybody
// else's.
TEST_F(ProgramFileTest, NoSymbolIsShared) {
  struct Piece {
    uint64_t begin;
    uint64_t end;
    const Heap* heap;
    const Symbol* symbol;
  };
  std::vector<Piece> pieces;
  for (const Symbol& symbol : symbols_) {
    if (symbol.type() != STT_FUNC && symbol.type() != STT_OBJECT) continue;
    if (!symbol.IsDefined() || symbol.entry.st_size == 0) continue;
    pieces.push_back({symbol.entry.st_value,
                      symbol.entry.st_value + symbol.entry.st_size,
                      InstanceOf(symbol), &symbol});
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.begin < b.begin; });
  size_t instances = 0;
  for (size_t i = 0; i < pieces.size(); ++i) {
    instances += pieces[i].heap != nullptr;
    for (size_t j = i + 1; j < pieces.size() && pieces[j].begin < pieces[i].end;
         ++j) {
      EXPECT_EQ(pieces[i].heap, pieces[j].heap)
          << pieces[i].symbol->name << " and " << pieces[j].symbol->name;
    }
  }
  EXPECT_GT(instances, kHeaps * 200);
}

// Nothing is exported to shared objects, or asked of them by its name.
TEST_F(ProgramFileTest, TheLoaderKnowsOfNone) {
  for (const Symbol& symbol : file_.Symbols(SHT_DYNSYM))
    EXPECT_EQ(InstanceOf(symbol), nullptr) << symbol.name;
}

TEST_F(ProgramFileTest, EachHasOnePointerOfThreadLocalStorage) {
  const std::vector<Elf64_Phdr> segments = file_.Segments(PT_TLS);
  ASSERT_EQ(segments.size(), 1u);
  std::vector<Symbol> pointers;
  for (const Symbol& symbol : symbols_) {
    const Heap* const heap = InstanceOf(symbol);
    if (symbol.type() != STT_TLS || heap == nullptr) continue;
    EXPECT_EQ(symbol.name, std::string(heap->prefix) + kThreadHeap);
    EXPECT_EQ(symbol.entry.st_size, 8u);
    EXPECT_EQ(symbol.entry.st_value % 8, 0u);
    EXPECT_LE(symbol.entry.st_value + 8, segments[0].p_memsz);
    pointers.push_back(symbol);
  }
  EXPECT_EQ(pointers.size(), kHeaps);
  for (const Symbol& pointer : pointers) {
    for (const Symbol& other : symbols_) {
      if (other.type() != STT_TLS || other.name == pointer.name) continue;
      EXPECT_TRUE(other.entry.st_value >= pointer.entry.st_value + 8 ||
                  pointer.entry.st_value >=
                      other.entry.st_value + other.entry.st_size)
          << pointer.name << " and " << other.name;
    }
  }
}

TEST_F(ProgramFileTest, NoneRunsAtLoadOrAtExit) {
  const std::vector<uint64_t> called = file_.CalledAtLoadAndExit();
  EXPECT_FALSE(called.empty());  // gtest's registration of these tests
  for (const uint64_t address : called) {
    bool is_known = false;
    for (const Symbol& symbol : symbols_) {
      // Those of the compiler's own start-up files have no size.
      if (symbol.type() != STT_FUNC ||
          (address != symbol.entry.st_value &&
           address - symbol.entry.st_value >= symbol.entry.st_size)) {
        continue;
      }
      is_known = true;
      EXPECT_EQ(InstanceOf(symbol), nullptr) << symbol.name;
    }
    EXPECT_TRUE(is_known) << std::hex << address;
  }
}

// "Alcove", type 1, in as many notes as there are instances; the registry finds
// each of them by its own.
TEST_F(ProgramFileTest, EachHasANote) {
  size_t notes = 0;
  std::set<uint64_t> descriptors;
  for (const Elf64_Phdr& segment : file_.Segments(PT_NOTE)) {
    const std::string contents = file_.Contents(segment);
    Elf64_Nhdr note;
    for (size_t at = 0; at + sizeof(note) <= contents.size();) {
      std::memcpy(&note, contents.data() + at, sizeof(note));
      const size_t name = at + sizeof(note);
      const size_t content = name + (note.n_namesz + 3) / 4 * 4;
      at = content + (note.n_descsz + 3) / 4 * 4;
      if (contents.compare(name, note.n_namesz,
                           std::string(ALCOVE_NOTE_OWNER, 7)) != 0) {
        continue;
      }
      ++notes;
      EXPECT_EQ(note.n_type, uint32_t{ALCOVE_NOTE_TYPE});
      alcove_instance_note stated;
      ASSERT_EQ(note.n_descsz, sizeof(stated));
      std::memcpy(&stated, contents.data() + content, sizeof(stated));
      const uint64_t distance = static_cast<uint32_t>(stated.distance[0]) |
                                uint64_t(stated.distance[1]) << 32;
      descriptors.insert(segment.p_vaddr + content +
                         offsetof(alcove_instance_note, distance) + distance);
    }
  }
  EXPECT_EQ(notes, kHeaps);
  EXPECT_EQ(descriptors.size(), kHeaps);

  std::array<alcove_instance_entry, kHeaps> entries;
  ASSERT_EQ(alcove_registry_list(entries.data(), kHeaps), long{kHeaps});
  for (const alcove_instance_entry& entry : entries) {
    const uint64_t address = reinterpret_cast<uint64_t>(entry.descriptor) -
                             reinterpret_cast<uint64_t>(entry.object) +
                             file_.Segments(PT_LOAD).at(0).p_vaddr;
    EXPECT_EQ(descriptors.count(address), 1u) << entry.prefix;
  }
}

}  // namespace
}  // namespace coexistence
