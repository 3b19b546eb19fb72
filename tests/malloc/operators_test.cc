// Every operator new and delete is on the instance, and fails as the standard
// has it.
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tests/malloc/app_malloc_heap.h"

namespace {

constexpr std::align_val_t kAlign{128};
// Larger than anything, but not so that a compiler can tell.
volatile size_t too_much = PTRDIFF_MAX;
// Takes results that there should be none of.
void* volatile used = nullptr;

TEST(Operators, EveryBlockIsTheInstances) {
  for (const size_t size : {0, 1, 16, 100, 5000, 100000, 10000000}) {
    void* blocks[] = {
        operator new(size),
        operator new[](size),
        operator new(size, std::nothrow),
        operator new[](size, std::nothrow),
        operator new(size, kAlign),
        operator new[](size, kAlign),
        operator new(size, kAlign, std::nothrow),
        operator new[](size, kAlign, std::nothrow),
    };
    for (void* const block : blocks) EXPECT_TRUE(app_owns(block));
    for (size_t i = 4; i < 8; ++i) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks[i]) % 128, 0u);
    }
    operator delete(blocks[0]);
    operator delete[](blocks[1], size);
    operator delete(blocks[2], std::nothrow);
    operator delete[](blocks[3], std::nothrow);
    operator delete(blocks[4], size, kAlign);
    operator delete[](blocks[5], kAlign);
    operator delete(blocks[6], kAlign, std::nothrow);
    operator delete[](blocks[7], size, kAlign);
  }
  operator delete(nullptr);
  operator delete[](nullptr, kAlign);
}

TEST(Operators, LibraryObjectsAreTheInstances) {
  const std::string text(1000, 'x');
  EXPECT_TRUE(app_owns(text.data()));
  const std::vector<int> numbers(1000);
  EXPECT_TRUE(app_owns(numbers.data()));
}

TEST(Operators, WithoutHandlerThrow) {
  ASSERT_EQ(std::set_new_handler(nullptr), nullptr);
  EXPECT_THROW(used = operator new(too_much), std::bad_alloc);
  EXPECT_THROW(used = operator new[](too_much), std::bad_alloc);
  EXPECT_THROW(used = operator new(too_much, kAlign), std::bad_alloc);
  EXPECT_THROW(used = operator new[](too_much, kAlign), std::bad_alloc);
  EXPECT_THROW(used = new char[too_much], std::bad_alloc);
}

TEST(Operators, NothrowGivesNull) {
  EXPECT_EQ(operator new(too_much, std::nothrow), nullptr);
  EXPECT_EQ(operator new[](too_much, std::nothrow), nullptr);
  EXPECT_EQ(operator new(too_much, kAlign, std::nothrow), nullptr);
  EXPECT_EQ(operator new[](too_much, kAlign, std::nothrow), nullptr);
  EXPECT_EQ(new (std::nothrow) char[too_much], nullptr);
}

int calls = 0;

// Gives up on the third call, by being no handler any more.
void GiveUpLater() {
  if (++calls == 3) std::set_new_handler(nullptr);
}

struct Enough {};
void ThrowOther() { throw Enough(); }

TEST(Operators, AskTheHandlerUntilItGivesUp) {
  calls = 0;
  std::set_new_handler(GiveUpLater);
  EXPECT_THROW(used = operator new(too_much), std::bad_alloc);
  EXPECT_EQ(calls, 3);

  calls = 0;
  std::set_new_handler(GiveUpLater);
  EXPECT_EQ(operator new[](too_much, kAlign, std::nothrow), nullptr);
  EXPECT_EQ(calls, 3);
}

TEST(Operators, HandlersMayThrow) {
  std::set_new_handler(ThrowOther);
  EXPECT_THROW(used = operator new(too_much), Enough);
  EXPECT_EQ(operator new(too_much, std::nothrow), nullptr);
  std::set_new_handler(nullptr);
}

void* reserve = nullptr;
volatile size_t wanted = 0;

void GiveReserve() {
  operator delete(reserve);
  reserve = nullptr;
  wanted = 100;
}

// The size is the caller's: a handler that frees memory cannot make a request
// smaller, but it can end by exception and the caller try again.
TEST(Operators, HandlerThatFreesLetsTheProgramGoOn) {
  reserve = operator new(1 << 20);
  wanted = too_much;
  std::set_new_handler([] {
    GiveReserve();
    throw std::bad_alloc();
  });
  EXPECT_THROW(used = operator new(wanted), std::bad_alloc);
  operator delete(operator new(wanted));
  EXPECT_EQ(reserve, nullptr);
  std::set_new_handler(nullptr);
}

TEST(Operators, BlocksCrossThreads) {
  std::vector<std::string*> strings(1000);
  std::thread([&] {
    for (auto& s : strings) s = new std::string(100, 'x');
  }).join();
  for (auto* s : strings) delete s;
}

}  // namespace
