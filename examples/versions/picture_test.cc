#include "examples/versions/picture.h"

#include "gtest/gtest.h"

namespace versions {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr uint64_t kGiB = 1 << 30;

TEST(PictureTest, ALineForEachPieceAndEachLargeGap) {
  const std::vector<Piece> pieces = {
      {"a program", 0x1000, 0x1001, 1, 1, 0},
      {"near", 0x3000, 0x5000, 0x2000, 0x2000, 0x1000},
      {"far", 8 * kGiB, 136 * kGiB, 128 * kGiB, 16 * kMiB, 3 * kMiB},
      {"reserved", 136 * kGiB, 137 * kGiB, kGiB, 0, 0}};
  EXPECT_EQ(Draw(pieces),
            "from               mapped  in memory  "
            "4K      1M      256M    64G  whose\n"
            "0x1000                1 B        0 B  "
            "+                            a program\n"
            "0x3000            8.0 KiB    4.0 KiB  "
            "#+                           near\n"
            "                  8.0 GiB             "
            "                             nobody's\n"
            "0x200000000     128.0 GiB    3.0 MiB  "
            "###########++.............   far\n"
            "0x2200000000      1.0 GiB        0 B  "
            "...................          reserved\n");
}

}  // namespace
}  // namespace versions
