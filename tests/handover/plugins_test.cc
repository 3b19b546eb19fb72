// A host replaces the version of a plugin's instance while its threads go on, and
// closes the shared object of the older one.
//
// HANDOVER_CYCLES=<n> sets how often; 200 by default.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "handover/handover.h"
#include "tests/contract/crew.h"
#include "tests/handover/churn.h"
#include "tests/handover/codec.h"
#include "tests/isolation/process.h"

#if defined(__SANITIZE_ADDRESS__)
// LeakSanitizer crashes by itself at the end, when it looks for the dynamic TLS
// of what was closed.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

namespace handover_tests {
namespace {

using alcove::Handover;
using alcove::InstanceFunctions;
using Hold = Handover::Hold;
using Status = Handover::Status;

// A sanitizer keeps what threads and mappings take in books of its own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCountsAddressSpace = false;
#else
constexpr bool kCountsAddressSpace = true;
#endif

constexpr const char* kPaths[] = {"tests/handover/codec_0_1/libcodec.so",
                                  "tests/handover/codec_today/libcodec.so"};

InstanceFunctions Open(const char* path) {
  void* const handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    std::fprintf(stderr, "%s\n", dlerror());
    std::abort();
  }
  InstanceFunctions functions;
  reinterpret_cast<decltype(&HandoverTestCodec)>(
      dlsym(handle, "HandoverTestCodec"))(&functions);
  functions.handle = handle;
  return functions;
}

bool IsLoaded(const char* path) {
  void* const handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
  if (handle != nullptr) dlclose(handle);
  return handle != nullptr;
}

// What a host does every now and then.
void CloseWhatIsFinished(Handover* handover) {
  for (const Handover::Report& report : handover->TryFinish()) {
    if (report.hold == Hold::kNothing) {
      EXPECT_EQ(dlclose(report.functions.handle), 0);
    }
  }
}

void CloseAll(Handover* handover) {
  while (handover->Draining() != 0) {
    CloseWhatIsFinished(handover);
    usleep(200);
  }
}

TEST(PluginsTest, VersionsComeAndGoWhileThreadsGoOn) {
  const char* const text = std::getenv("HANDOVER_CYCLES");
  const int cycles = text != nullptr ? std::atoi(text) : 200;
  const uint64_t seed = Seed();
  SCOPED_TRACE("HANDOVER_SEED=" + std::to_string(seed));
  Handover handover;
  ASSERT_EQ(handover.Replace(Open(kPaths[0])), Status::kOk);
  Churn churn(&handover, 3, seed);
  for (int i = 1; i <= cycles; ++i) {
    const InstanceFunctions next = Open(kPaths[i % 2]);
    ASSERT_EQ(handover.Replace(next), Status::kOk);
    void* const block = handover.Allocate(100);
    ASSERT_NE(next.owns(block), 0);
    handover.Free(block);
    CloseAll(&handover);
    ASSERT_FALSE(IsLoaded(kPaths[(i + 1) % 2]));
  }
  churn.Stop();
  EXPECT_TRUE(churn.good());
  handover.Retire();
  CloseAll(&handover);
  handover.Close();
  std::printf("%d cycles, %llu steps\n", cycles,
              static_cast<unsigned long long>(churn.steps()));
}

// Threads that live on and hold nothing.
TEST(PluginsTest, NothingIsLeft) {
  contract::Crew crew(3);
  Handover handover;
  ASSERT_EQ(handover.Replace(Open(kPaths[0])), Status::kOk);
  auto room = std::make_unique<isolation::MallocRoom>();
  size_t address_space = 0;
  size_t mappings = 0;
  for (int i = 1; i <= 100; ++i) {
    void* blocks[3];
    const auto allocate = [&](int thread) {
      for (size_t size = 1; size < 1000000; size *= 3)
        handover.Free(handover.Allocate(size));
      blocks[thread] = handover.Allocate(1000);
    };
    const auto free_anothers = [&](int thread) {
      handover.Free(blocks[(thread + 1) % 3]);
    };
    crew.Do(allocate);
    ASSERT_EQ(handover.Replace(Open(kPaths[i % 2])), Status::kOk);
    CloseWhatIsFinished(&handover);
    EXPECT_EQ(handover.Draining(), 1u) << "blocks live";
    crew.Do(free_anothers);
    CloseWhatIsFinished(&handover);
    EXPECT_EQ(handover.Draining(), 1u) << "threads cache";
    crew.Do([&](int) { handover.Leave(); });
    CloseWhatIsFinished(&handover);
    ASSERT_EQ(handover.Draining(), 0u);
    ASSERT_FALSE(IsLoaded(kPaths[(i + 1) % 2]));
    if (!kCountsAddressSpace || i % 10 != 0) continue;
    // With neither loaded: where a shared object lies is chance, and the kernel
    // joins its last pages and what they touch to one mapping.
    handover.Retire();
    CloseWhatIsFinished(&handover);
    ASSERT_EQ(handover.Draining(), 0u);
    ASSERT_FALSE(IsLoaded(kPaths[0]));
    if (i == 10) {
      room.reset();
      address_space = isolation::AddressSpace();
      mappings = isolation::CountMappings(0, UINTPTR_MAX);
    } else {
      ASSERT_EQ(isolation::AddressSpace(), address_space) << i;
      ASSERT_EQ(isolation::CountMappings(0, UINTPTR_MAX), mappings) << i;
    }
    ASSERT_EQ(handover.Replace(Open(kPaths[0])), Status::kOk);
  }
  handover.Retire();
  CloseAll(&handover);
  handover.Close();
}

TEST(PluginsTest, TheSameObjectIsTheSameInstance) {
  Handover handover;
  const InstanceFunctions functions = Open(kPaths[1]);
  const InstanceFunctions again = Open(kPaths[1]);
  ASSERT_EQ(handover.Replace(functions), Status::kOk);
  EXPECT_EQ(handover.Replace(again), Status::kIsCurrent);
  dlclose(again.handle);
  handover.Retire();
  CloseAll(&handover);
  EXPECT_FALSE(IsLoaded(kPaths[1]));
  handover.Close();
}

}  // namespace
}  // namespace handover_tests
