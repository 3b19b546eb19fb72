// All instances of this process: three in the program, more in shared objects
// that come and go.
#include "registry/registry.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>

#include "gtest/gtest.h"
#include "tests/registry/a_heap.h"
#include "tests/registry/b_heap.h"
#include "tests/registry/c_heap.h"
#include "tests/registry/opened.h"
#include "tests/registry/sandbox.h"

namespace registry_tests {
namespace {

std::string Plugin() { return std::string(kDirectory) + "libplugin.so"; }

// Whether everything is found; 7 if so.
int Find(const void* block) {
  const Entries entries = List();
  size_t index = 99;
  return entries.size() == 3 && OwnerOf(block) == "a_" &&
                 OwnerOf(&index).empty() &&
                 alcove_registry_owner_among(entries.data(), entries.size(),
                                             block, &index) == 1 &&
                 std::string(entries[index].prefix) == "a_"
             ? 7
             : 8;
}

TEST(RegistryTest, ListsTheInstancesOfTheProgram) {
  const Entries entries = List();
  ASSERT_EQ(entries.size(), 3u);
  std::set<std::string> prefixes;
  for (const alcove_instance_entry& entry : entries) {
    prefixes.insert(entry.prefix);
    EXPECT_EQ(entry.status, static_cast<uint32_t>(ALCOVE_INSTANCE_KNOWN));
    EXPECT_EQ(entry.truncated, 0u);
    EXPECT_STREQ(entry.version, a_version());
    EXPECT_EQ(entry.descriptor, entry.stated.self);
    EXPECT_EQ(entry.object, entries[0].object);
    EXPECT_NE(std::string(entry.file).find("registry_test"), std::string::npos);
  }
  EXPECT_EQ(prefixes, (std::set<std::string>{"a_", "b_", "c_"}));
  EXPECT_STREQ(WithPrefix("b_").at(0).label, "//tests/registry:b_heap");
}

TEST(RegistryTest, SaysHowManyThereAreWhereTheArrayIsTooShort) {
  EXPECT_EQ(alcove_registry_list(nullptr, 0), 3);
  alcove_instance_entry entries[2];
  std::memset(entries, 0x55, sizeof(entries));
  EXPECT_EQ(alcove_registry_list(entries, 1), 3);
  EXPECT_STREQ(entries[0].prefix, List()[0].prefix);
  for (const unsigned char byte :
       reinterpret_cast<unsigned char(&)[sizeof(alcove_instance_entry)]>(
           entries[1])) {
    ASSERT_EQ(byte, 0x55);
  }
}

TEST(RegistryTest, EveryBlockHasItsOwner) {
  const Entries entries = List();
  for (const size_t size : {1, 1000, 100000, 3000000}) {
    void* const a = a_malloc(size);
    void* const b = b_malloc(size);
    EXPECT_EQ(OwnerOf(a), "a_");
    EXPECT_EQ(OwnerOf(static_cast<char*>(b) + size - 1), "b_");
    size_t index = 99;
    ASSERT_EQ(
        alcove_registry_owner_among(entries.data(), entries.size(), b, &index),
        1);
    EXPECT_STREQ(entries[index].prefix, "b_");
    EXPECT_EQ(alcove_registry_owner_of(a, nullptr), 1);
    EXPECT_EQ(
        alcove_registry_owner_among(entries.data(), entries.size(), a, nullptr),
        1);
    a_free(a);
    b_free(b);
  }
  EXPECT_EQ(a_shutdown(), 0);
  EXPECT_EQ(b_shutdown(), 0);
}

TEST(RegistryTest, OtherMemoryIsNobodys) {
  const Entries entries = List();
  void* const kept = a_malloc(10);
  const auto other = std::make_unique<int>();
  static int object;
  for (const void* address :
       {static_cast<const void*>(nullptr), static_cast<const void*>(&entries),
        static_cast<const void*>(other.get()),
        static_cast<const void*>(&object),
        reinterpret_cast<const void*>(&a_malloc),
        reinterpret_cast<const void*>(UINTPTR_MAX), entries[0].descriptor}) {
    alcove_instance_entry owner;
    EXPECT_EQ(alcove_registry_owner_of(address, &owner), 0);
    size_t index = 99;
    EXPECT_EQ(alcove_registry_owner_among(entries.data(), entries.size(),
                                          address, &index),
              0);
    EXPECT_EQ(index, 99u);
  }
  EXPECT_EQ(alcove_registry_owner_among(entries.data(), 0, kept, nullptr), 0);
  a_free(kept);
  EXPECT_EQ(a_shutdown(), 0);
}

TEST(RegistryTest, AfterAShutdownNobodyOwnsIt) {
  const Entries entries = List();
  void* const block = a_malloc(100);
  void* const large = a_malloc(10000000);
  EXPECT_EQ(OwnerOf(block), "a_");
  EXPECT_EQ(OwnerOf(large), "a_");
  a_free(block);
  a_free(large);
  ASSERT_EQ(a_shutdown(), 0);
  EXPECT_EQ(OwnerOf(block), "");
  EXPECT_EQ(OwnerOf(large), "");
  EXPECT_EQ(alcove_registry_owner_among(entries.data(), entries.size(), block,
                                        nullptr),
            0);
  EXPECT_EQ(List().size(), 3u);  // but it is there
}

// A small one, so that it soon has many.
TEST(RegistryTest, AllRangesOfAnInstance) {
  std::vector<void*> blocks;
  for (int i = 0; i < 40; ++i) {
    blocks.push_back(c_malloc(size_t{3} << 20));
    ASSERT_NE(blocks.back(), nullptr);
  }
  c_stats_t stats = {};
  stats.struct_size = sizeof(stats);
  ASSERT_EQ(c_stats(&stats), 0);
  EXPECT_GT(stats.bytes_reserved, size_t{100} << 20);
  const Entries entries = List();
  int ranges = 0;
  for (const void* const* slot = WithPrefix("c_").at(0).stated.ranges;
       *slot != nullptr; ++slot) {
    ++ranges;
  }
  EXPECT_GT(ranges, 2);
  for (void* const block : blocks) {
    EXPECT_EQ(OwnerOf(block), "c_");
    size_t index;
    ASSERT_EQ(alcove_registry_owner_among(entries.data(), entries.size(), block,
                                          &index),
              1);
    EXPECT_STREQ(entries[index].prefix, "c_");
    c_free(block);
  }
  EXPECT_EQ(c_shutdown(), 0);
  for (void* const block : blocks) EXPECT_EQ(OwnerOf(block), "");
}

TEST(RegistryTest, TellsTheConfiguration) {
  const alcove_instance_entry entry = WithPrefix("c_").at(0);
  const std::string config = c_config();
  std::vector<char> text(config.size() + 1, 'x');
  EXPECT_EQ(alcove_registry_config(&entry, text.data(), text.size()),
            static_cast<long>(config.size()));
  EXPECT_EQ(text.data(), config);
  char start[5] = {'x', 'x', 'x', 'x', 'x'};
  EXPECT_EQ(alcove_registry_config(&entry, start, 4),
            static_cast<long>(config.size()));
  EXPECT_EQ(std::string(start, 5), config.substr(0, 3) + '\0' + 'x');
  EXPECT_EQ(alcove_registry_config(&entry, nullptr, 0),
            static_cast<long>(config.size()));
}

TEST(RegistryTest, ASharedObjectThatIsOpenedLaterAndClosed) {
  ASSERT_EQ(List().size(), 3u);
  Opened plugin(Plugin());
  const Entries entries = List();
  ASSERT_EQ(entries.size(), 4u);
  const alcove_instance_entry entry = WithPrefix("plug_").at(0);
  EXPECT_STREQ(entry.label, "//tests/registry:plug_heap");
  EXPECT_NE(std::string(entry.file).find("libplugin.so"), std::string::npos);
  void* const block = plugin->malloc(100);
  EXPECT_EQ(OwnerOf(block), "plug_");
  // Closed without a shutdown: its mapping stays, but whose it was is gone.
  plugin.Close();
  EXPECT_EQ(List().size(), 3u);
  EXPECT_EQ(OwnerOf(block), "");
  EXPECT_EQ(alcove_registry_owner_among(entries.data(), entries.size(), block,
                                        nullptr),
            0);
  char text[10];
  EXPECT_EQ(alcove_registry_config(&entry, text, sizeof(text)), -ESRCH);
}

TEST(RegistryTest, AHundredSharedObjects) {
  std::vector<Opened> plugins;
  std::vector<void*> blocks;
  for (const std::string& path : Copies("libplugin.so", 100)) {
    plugins.emplace_back(path);
    blocks.push_back(plugins.back()->malloc(100));
  }
  const Entries entries = List();
  ASSERT_EQ(entries.size(), 103u);
  std::set<size_t> owners;
  for (int i = 0; i < 100; ++i) {
    size_t index;
    ASSERT_EQ(alcove_registry_owner_among(entries.data(), entries.size(),
                                          blocks[i], &index),
              1);
    EXPECT_NE(std::string(entries[index].file)
                  .find("/" + std::to_string(i) + "_libplugin.so"),
              std::string::npos);
    owners.insert(index);
    plugins[i]->free(blocks[i]);
    EXPECT_EQ(plugins[i]->shutdown(), 0);
  }
  EXPECT_EQ(owners.size(), 100u);
}

// What tools that look into programs do: the same file, but nobody's code.
TEST(RegistryTest, AFileThatIsOnlyMappedIsNoInstance) {
  const Opened plugin(Plugin());
  std::ifstream file(Plugin(), std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  FILE* const opened = std::fopen(Plugin().c_str(), "rb");
  const size_t size = bytes.str().size();
  void* const mapped =
      mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fileno(opened), 0);
  std::fclose(opened);
  ASSERT_NE(mapped, MAP_FAILED);
  const Entries entries = WithPrefix("plug_");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_NE(entries[0].object, mapped);
  EXPECT_EQ(List().size(), 4u);
  munmap(mapped, size);
}

// Error numbers of list, owner_of and owner_among, as one decimal number.
int Errors(const void* block, const alcove_instance_entry& entry) {
  const auto error = [](long result) { return result < 0 ? -result : 0; };
  return static_cast<int>(
      error(alcove_registry_list(nullptr, 0)) +
      10 * error(alcove_registry_owner_of(block, nullptr)) +
      100 * error(alcove_registry_owner_among(&entry, 1, block, nullptr)));
}

TEST(RegistryDeathTest, WhereWaysToReadAreForbidden) {
  void* const block = a_malloc(100);
  const alcove_instance_entry entry = WithPrefix("a_").at(0);
  const auto in_sandbox =
      [&](const std::vector<Refusal>& refusals,
          int (*ask)(const void*, const alcove_instance_entry&)) {
        Refuse(refusals);
        std::fprintf(stderr, "answer %d\n", ask(block, entry));
        _exit(0);
      };
  const auto find = [](const void* b, const alcove_instance_entry&) {
    return Find(b);
  };
  const auto ended = testing::ExitedWithCode(0);
  const Refusal call = {SYS_process_vm_readv, EPERM};
  EXPECT_EXIT(in_sandbox({}, find), ended, "answer 7\n");
  EXPECT_EXIT(in_sandbox({call}, find), ended, "answer 7\n");
  EXPECT_EXIT(in_sandbox({{SYS_process_vm_readv, ENOSYS}}, find), ended,
              "answer 7\n");
  EXPECT_EXIT(in_sandbox({call, {SYS_pread64, EACCES}}, Errors), ended,
              "answer 111\n");
  EXPECT_EXIT(in_sandbox({{SYS_openat, ENOENT}}, Errors), ended, "answer 22\n");
  EXPECT_EXIT(in_sandbox({{SYS_read, EIO}}, Errors), ended, "answer 55\n");
  EXPECT_EXIT(in_sandbox({call, {SYS_openat, ENOENT}}, Errors), ended,
              "answer 122\n");
  a_free(block);
  EXPECT_EQ(a_shutdown(), 0);
}

TEST(RegistryTest, AChildOfFork) {
  void* const block = a_malloc(100);
  const pid_t child = fork();
  if (child == 0) _exit(Find(block));
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  a_free(block);
  EXPECT_EQ(a_shutdown(), 0);
}

TEST(RegistryTest, ErrnoIsAsItWas) {
  errno = 77;
  List();
  alcove_registry_owner_of(&errno, nullptr);
  alcove_registry_owner_of(nullptr, nullptr);
  EXPECT_EQ(errno, 77);
}

struct Fake {
  const char* file;
  uint32_t status;
  uint32_t layout;
  uint32_t size;
  bool head;  // what every layout has was read
};

class FakeTest : public testing::TestWithParam<Fake> {};

TEST_P(FakeTest, IsListedAsWhatItIs) {
  const Fake& fake = GetParam();
  Opened plugin(std::string(kDirectory) + fake.file);
  alcove_instance_entry entry = {};
  for (const alcove_instance_entry& one : List()) {
    if (std::string(one.file).find(fake.file) != std::string::npos) entry = one;
  }
  ASSERT_NE(entry.object, nullptr);
  EXPECT_EQ(entry.status, fake.status);
  EXPECT_EQ(entry.stated.layout, fake.layout);
  EXPECT_EQ(entry.stated.struct_size, fake.size);
  EXPECT_EQ(entry.stated.self, fake.head ? entry.descriptor : nullptr);
  // It ends with the page.
  EXPECT_EQ((reinterpret_cast<uintptr_t>(entry.descriptor) + fake.size) % 4096,
            0u);
  const bool owns = fake.status == ALCOVE_INSTANCE_KNOWN ||
                    fake.status == ALCOVE_INSTANCE_UNKNOWN_VERSION;
  EXPECT_STREQ(entry.prefix, owns ? "fake_" : "");
  EXPECT_EQ(OwnerOf(plugin.FakeMemory()), owns ? "fake_" : "");
  EXPECT_EQ(
      alcove_registry_owner_among(&entry, 1, plugin.FakeMemory(), nullptr),
      owns ? 1 : 0);
  // The others are found all the same.
  EXPECT_EQ(List().size(), 4u);
  void* const block = a_malloc(10);
  EXPECT_EQ(OwnerOf(block), "a_");
  a_free(block);
  EXPECT_EQ(a_shutdown(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Fakes, FakeTest,
    testing::Values(
        Fake{"libfake_known.so", ALCOVE_INSTANCE_KNOWN, 1, 104, true},
        Fake{"libfake_longer.so", ALCOVE_INSTANCE_KNOWN, 1, 400, true},
        Fake{"libfake_newer.so", ALCOVE_INSTANCE_UNKNOWN_VERSION, 1, 104, true},
        Fake{"libfake_odd_version.so", ALCOVE_INSTANCE_UNKNOWN_VERSION, 1, 104,
             true},
        Fake{"libfake_shorter.so", ALCOVE_INSTANCE_MALFORMED, 1, 96, true},
        Fake{"libfake_layout_large.so", ALCOVE_INSTANCE_UNKNOWN_LAYOUT, 7, 400,
             true},
        Fake{"libfake_layout_small.so", ALCOVE_INSTANCE_UNKNOWN_LAYOUT, 7, 24,
             true},
        Fake{"libfake_layout_tiny.so", ALCOVE_INSTANCE_UNKNOWN_LAYOUT, 7, 8,
             false}),
    [](const auto& info) {
      const std::string file = info.param.file;
      return file.substr(8, file.size() - 11);
    });

TEST(RegistryTest, LongTextsAreCutAndSaidToBe) {
  Opened plugin(std::string(kDirectory) + "libfake_long_texts.so");
  const alcove_instance_entry entry = WithPrefix("fake_").at(0);
  EXPECT_EQ(entry.truncated, ALCOVE_TRUNCATED_VERSION | ALCOVE_TRUNCATED_LABEL);
  EXPECT_EQ(entry.version, std::string(31, '9'));
  EXPECT_EQ(std::string(entry.label).size(), 191u);
}

}  // namespace
}  // namespace registry_tests
