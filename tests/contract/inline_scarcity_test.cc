// Where the system refuses memory, what is inlined fails as the functions do:
// null, or std::bad_alloc; and all is well again when there is some.
#include SUBJECT_INLINE_HEADER

#include <sys/resource.h>
#include <unistd.h>

#include <list>
#include <new>
#include <utility>

#include "tests/contract/contract.h"
#include "tests/isolation/process.h"

namespace contract {
namespace {

namespace in = ::SUBJECT_NAMESPACE::inlined;

void LimitAddressSpace(rlim_t bytes) {
  rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
  if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(100);
}

// In a child neither exceptions nor GoogleTest's messages would be of use, with
// no memory.
void Check(bool condition, int code) {
  if (!condition) _exit(code);
}

template <typename F>
bool ThrowsBadAlloc(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

using List = std::list<int, in::allocator<int>>;

struct Node {
  Node* next;
  char bytes[1000];
};

TEST(InlineScarcityDeathTest, NoAddressSpaceAtAll) {
  EXPECT_EXIT(
      {
        LimitAddressSpace(isolation::AddressSpace());
        Check(in::allocate<64>() == nullptr, 1);
        Check(in::allocate<Node>() == nullptr, 2);
        Check((in::allocate<64, 64>()) == nullptr, 3);
        Check(in::allocate<100000>() == nullptr, 4);
        Check(ThrowsBadAlloc([] { (void)in::make<Node>(); }), 5);
        in::allocator<Node> allocator;
        Check(ThrowsBadAlloc([&] { (void)allocator.allocate(1); }), 6);
        List list;
        Check(ThrowsBadAlloc([&] { list.push_back(1); }), 7);
        LimitAddressSpace(RLIM_INFINITY);
        list.push_back(1);
        in::deallocate<64>(in::allocate<64>());
        Check(in::make<Node>()->next == nullptr, 8);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

// The cache runs dry in the middle.
TEST(InlineScarcityDeathTest, UntilNothingIsLeft) {
  EXPECT_EXIT(
      {
        LimitAddressSpace(isolation::AddressSpace() + 64 * kMiB);
        Node* list = nullptr;
        size_t count = 0;
        while (Node* const node = in::allocate<Node>()) {
          node->next = list;
          list = node;
          ++count;
        }
        Check(count > 100, 1);
        Check(in::allocate<Node>() == nullptr, 2);
        Check(ThrowsBadAlloc([] { (void)in::make<Node>(); }), 3);
        while (Node* const node = list) {
          list = node->next;
          if (count-- % 2 == 0) {
            in::deallocate<Node>(node);
          } else {
            in::deallocate_trusted<Node>(node);
          }
        }
        Check(in::make<Node>() != nullptr, 4);
        subject::thread_detach();
        Check(subject::shutdown() == 0, 5);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace contract
