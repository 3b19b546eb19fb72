#include "core/slab/picture.h"

#include <string>

#include "tests/core/testing.h"

namespace ALCOVE_CORE_NAMESPACE {
namespace {

// A slab that is not in a range.
struct Drawn {
  Drawn(unsigned blocks, unsigned fresh) {
    slab.blocks = static_cast<uint16_t>(blocks);
    slab.fresh = static_cast<uint16_t>(fresh);
    slab.local = bits;
  }
  void Free(unsigned i) { bits[i / 64] |= BitWord{1} << (i % 64); }
  std::string Text() const { return SlabPicture(slab).text; }

  Slab slab = {};
  BitWord bits[kBitWordsMax] = {};
};

TEST(PictureTest, ACharacterForEachBlock) {
  Drawn drawn(10, 6);
  EXPECT_EQ(drawn.Text(), "######....");
  drawn.Free(0);
  drawn.Free(4);
  EXPECT_EQ(drawn.Text(), "o###o#....");
  EXPECT_EQ(Drawn(1, 0).Text(), ".");
  EXPECT_EQ(Drawn(64, 64).Text(), std::string(64, '#'));
}

TEST(PictureTest, OrForSeveralSideBySide) {
  Drawn two(65, 5);
  EXPECT_EQ(two.Text(), "###" + std::string(30, '.'));
  two.Free(0);
  two.Free(2);
  two.Free(3);
  two.Free(4);
  EXPECT_EQ(two.Text(), "#oo" + std::string(30, '.'))
      << "one is out: the first";
  Drawn many(4096, 4096);
  EXPECT_EQ(many.Text(), std::string(64, '#'));
  for (unsigned i = 0; i < 64; ++i) many.Free(4096 - 64 + i);
  EXPECT_EQ(many.Text(), std::string(63, '#') + "o");
}

}  // namespace
}  // namespace ALCOVE_CORE_NAMESPACE
