// Lists of mappings, as the system writes them and as it does not.
#include "registry/maps.h"

#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace registry_tests {
namespace {

using alcove::registry::MappedFile;
using alcove::registry::Maps;

struct Found {
  uintptr_t start;
  std::string file;
  bool truncated;
};

std::vector<Found> Read(const std::string& text) {
  const std::string path = testing::TempDir() + "/maps";
  std::ofstream(path, std::ios::binary) << text;
  Maps maps(path.c_str());
  std::vector<Found> found;
  MappedFile file;
  while (maps.Next(&file))
    found.push_back({file.start, file.file, file.truncated});
  EXPECT_EQ(maps.error(), 0);
  return found;
}

TEST(MapsTest, FindsFirstPagesOfFiles) {
  const auto found = Read(
      "00400000-00401000 r--p 00000000 fe:00 12   /bin/a\n"
      "00401000-00402000 r-xp 00001000 fe:00 12   /bin/a\n"
      "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
      "7f0000001000-7f0000002000 rw-p 00000000 00:00 0\n"
      "7f0000002000-7f0000003000 r-xp 00000000 00:1f 1234567890   /a b "
      "(deleted)\n"
      "7f0000004000-7f0000005000 ---p 00000000 fe:00 12   /bin/none\n"
      "7f0000005000-7f0000006000 r--s 00000000 fe:00 12   /bin/shared\n"
      "7fff00000000-7fff00001000 r-xp 00000000 00:00 0   [vdso]\n"
      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].start, 0x400000u);
  EXPECT_EQ(found[0].file, "/bin/a");
  EXPECT_EQ(found[1].start, 0x7f0000002000u);
  EXPECT_EQ(found[1].file, "/a b (deleted)");
}

TEST(MapsTest, OfALongNameTheEndIsKept) {
  for (size_t size = 250; size < 1400; ++size) {
    const std::string name = "/" + std::string(size - 9, 'x') + "/name.so";
    const std::string line =
        "1000-2000 r--p 00000000 fe:00 12   " + name + "\n";
    const auto found = Read(line + line);
    ASSERT_EQ(found.size(), 2u);
    for (const Found& one : found) {
      EXPECT_EQ(one.truncated, size > 255);
      EXPECT_GE(one.file.size(), size > 255 ? 127u : size);
      EXPECT_EQ(name.substr(name.size() - one.file.size()), one.file);
    }
  }
}

TEST(MapsTest, ControlCharactersAreReplaced) {
  const auto found = Read("1000-2000 r--p 00000000 fe:00 12 /a\x1b[1m\x7f\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].file, "/a?[1m?");
}

TEST(MapsTest, LinesThatAreNoneAreSkipped) {
  const std::string good = "1000-2000 r--p 00000000 fe:00 12 /a\n";
  for (const std::string line :
       {"", "x", "1000", "1000-", "1000-2000", "1000-2000 ", "1000-2000 r",
        "1000-2000 r--p", "1000-2000 r--p ", "1000-2000 r--p 0",
        "1000-2000 r--p 0 ", "1000-2000 r--p 0 fe:00",
        "1000-2000 r--p 0 fe:00 ", "1000 2000 r--p 0 fe:00 12 /x", "-",
        "- r--p", "\t\t", " "}) {
    const auto found = Read(good + line + "\n" + good);
    EXPECT_EQ(found.size(), 2u) << line;
    Read(good + line);  // and the end of the file right there
  }
}

TEST(MapsTest, WithoutTheFileThereIsAnError) {
  Maps maps("/nowhere/maps");
  MappedFile file;
  EXPECT_FALSE(maps.Next(&file));
  EXPECT_EQ(maps.error(), -ENOENT);
  Maps directory("/");
  EXPECT_FALSE(directory.Next(&file));
  EXPECT_EQ(directory.error(), -EISDIR);
}

TEST(MapsTest, TheProgramIsAmongThoseOfThisProcess) {
  Maps maps;
  MappedFile file;
  bool found = false;
  while (maps.Next(&file))
    found |= std::string(file.file).find("maps_test") != std::string::npos;
  EXPECT_EQ(maps.error(), 0);
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace registry_tests
