#include "bench/runner/column.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace bench {
namespace {

using testing::HasSubstr;

std::vector<Column> Known() {
  std::vector<Column> columns(3);
  columns[0].name = "alcove";
  columns[0].ours = true;
  columns[1].name = "glibc";
  columns[2].name = "jemalloc";
  columns[2].absent = "not installed";
  return columns;
}

TEST(ChooseColumns, TakesAllUnlessTold) {
  std::string error;
  EXPECT_EQ(ChooseColumns(Known(), {}, {}, {}, &error).size(), 3u);
  const auto two = ChooseColumns(Known(), {"glibc", "alcove"}, {}, {}, &error);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].name, "glibc");
  EXPECT_TRUE(two[1].ours);
  EXPECT_EQ(error, "");
}

TEST(ChooseColumns, AddsAnyLibraryAndSaysIfThereIsNone) {
  std::string error;
  const auto columns = ChooseColumns(
      Known(), {"alcove"}, {"mine=/nowhere/mine.so"}, {"mine"}, &error);
  ASSERT_EQ(columns.size(), 2u);
  EXPECT_EQ(columns[1].name, "mine");
  EXPECT_EQ(columns[1].library, "/nowhere/mine.so");
  EXPECT_EQ(columns[1].absent, "no such file");
  EXPECT_TRUE(columns[1].aside);
  EXPECT_EQ(error, "");
}

TEST(ChooseColumns, RefusesWhatItCannotMean) {
  std::string error;
  ChooseColumns(Known(), {"hoard"}, {}, {}, &error);
  EXPECT_THAT(error, HasSubstr("there is no hoard; known are alcove, glibc"));
  for (const char* wrong : {"mine", "=x.so", "mine="}) {
    error.clear();
    EXPECT_TRUE(ChooseColumns(Known(), {}, {wrong}, {}, &error).empty());
    EXPECT_THAT(error, HasSubstr("name=path.so")) << wrong;
  }
  error.clear();
  ChooseColumns(Known(), {}, {"glibc=x.so"}, {}, &error);
  EXPECT_THAT(error, HasSubstr("already"));
  error.clear();
  ChooseColumns(Known(), {}, {}, {"mine"}, &error);
  EXPECT_THAT(error, HasSubstr("--aside: there is no column mine"));
}

TEST(KnownColumns, BeginWithOursThenTheCLibrarys) {
  const auto columns = KnownColumns();
  ASSERT_GT(columns.size(), 4u);
  EXPECT_EQ(columns[0].name, "alcove");
  EXPECT_TRUE(columns[0].ours);
  for (const Column& column : columns) {
    if (column.name == "glibc") {
      EXPECT_EQ(column.library, "");
      EXPECT_EQ(column.absent, "");
      EXPECT_NE(column.version, "");
    } else {
      EXPECT_NE(column.library.empty(), column.absent.empty()) << column.name;
    }
  }
}

TEST(FindLibrary, KnowsWhatTheDynamicLinkerKnows) {
  EXPECT_THAT(FindLibrary({"libnowhere.so.7", "libc.so.6"}),
              HasSubstr("libc.so.6"));
  EXPECT_EQ(FindLibrary({"libnowhere.so.7"}), "");
}

}  // namespace
}  // namespace bench
