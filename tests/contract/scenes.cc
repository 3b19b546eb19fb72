#include "tests/contract/scenes.h"

#include <sys/mman.h>

#include <cctype>

#include "tests/contract/arena.h"

namespace contract {
namespace {

void Nothing(Scene&) {}

template <size_t kSize, size_t kCount>
void MakeSome(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.victims.Make(kSize);
}
template <size_t kSize, size_t kCount>
void OthersMake(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.others.Make(kSize);
  scene.others.FillAll();
}
template <size_t kCount>
void FreeSome(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.victims.Free(i);
}
// Not neighbours: single blocks go other ways than runs of them.
template <size_t kCount>
void FreeScattered(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.victims.Free(i * 7 % kCount);
}
template <size_t kCount>
void FreeOthers(Scene& scene) {
  for (size_t i = 0; i < kCount; ++i) scene.others.Free(i);
}
template <size_t kCount>
void OthersFreeVictims(Scene& scene) {
  FreeSome<kCount>(scene);
  subject::thread_detach();
}

constexpr size_t kGift = 512 * kKiB;

// Two gifts that nobody had before. They stay mapped: who is killed while he gives
// them may leave them claimed.
void BringGifts(Scene& scene) {
  scene.gifts =
      static_cast<char*>(mmap(nullptr, 2 * kGift, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(scene.gifts, MAP_FAILED);
}

}  // namespace

const std::vector<Operation> kOperations = {
    {"the first malloc of a thread", Nothing, Nothing, MakeSome<64, 1>},
    {"malloc until slabs are made", MakeSome<512, 1>, Nothing,
     MakeSome<512, 140>},
    {"malloc of medium blocks", Nothing, Nothing, MakeSome<20000, 30>},
    {"free until bins grow and are flushed", MakeSome<512, 160>, Nothing,
     FreeSome<80>},
    {"free of blocks here and there", MakeSome<512, 160>, Nothing,
     FreeScattered<101>},
    {"free of large arrays of small blocks", MakeSome<16, 560>, Nothing,
     FreeSome<550>},
    {"free until slabs go", MakeSome<8192, 60>, Nothing, FreeSome<60>},
    {"free until medium slabs go", MakeSome<20000, 120>, Nothing,
     FreeSome<120>},
    {"free of another thread's", MakeSome<512, 1>, OthersMake<512, 120>,
     FreeOthers<100>},
    {"free of another thread's medium ones", MakeSome<512, 1>,
     OthersMake<20000, 60>, FreeOthers<50>},
    {"malloc where others freed", MakeSome<512, 300>, OthersFreeVictims<250>,
     MakeSome<512, 130>},
    {"large blocks",
     [](Scene& scene) {
       for (const size_t size : {100000, 300000, 1500000, 100000, 100000})
         scene.victims.Make(size);
     },
     Nothing,
     [](Scene& scene) {
       for (size_t i = 0; i < 4; ++i) scene.victims.Free(i);
       for (const size_t size : {100000, 300000, 1500000, 40000000, 90000})
         scene.victims.Make(size);
       for (size_t i = 5; i < 9; ++i) scene.victims.Free(i);
     },
     40000000},
    {"large blocks of another thread", MakeSome<512, 1>,
     [](Scene& scene) {
       for (int i = 0; i < 20; ++i) {
         scene.others.Make(100000);
         scene.others.Make(1500000);
       }
       scene.others.FillAll();
     },
     FreeOthers<38>, 1500000},
    {"realloc",
     [](Scene& scene) {
       for (const size_t size : {100, 3000, 100000, 1500000})
         scene.victims.Make(size);
     },
     Nothing,
     [](Scene& scene) {
       for (size_t i = 0; i < 4; ++i) {
         for (const size_t factor : {2, 5, 1}) {
           // Which of the two there is, nobody knows in the middle of it.
           void* const block = scene.victims.blocks[i].exchange(nullptr);
           scene.victims.blocks[i] =
               subject::realloc(block, scene.victims.sizes[i] * factor);
         }
         subject::free(scene.victims.blocks[i].exchange(nullptr));
       }
     },
     2 * 7500000},
    {"free_range",
     [](Scene& scene) {
       MakeSome<500, 20>(scene);
       MakeSome<20000, 6>(scene);
       MakeSome<300000, 2>(scene);
     },
     OthersMake<500, 10>,
     [](Scene& scene) {
       // What is in front stays.
       const auto cut = [](Held& held, size_t i) {
         char* const block =
             static_cast<char*>(held.blocks[i].exchange(nullptr));
         if (block == nullptr) return;  // another has it
         const size_t usable = subject::malloc_usable_size(block);
         held.sizes[i] = 100;
         subject::free_range(block + 100, usable - 100);
         held.blocks[i] = block;
       };
       for (size_t i = 0; i < 28; ++i) cut(scene.victims, i);
       for (size_t i = 0; i < 10; ++i) cut(scene.others, i);
       for (int i = 0; i < 20; ++i) scene.victims.Make(200);
       for (size_t i = 0; i < 48; i += 2) scene.victims.Free(i);
     },
     327680},
    {"thread_detach",
     [](Scene& scene) {
       MakeSome<512, 60>(scene);
       MakeSome<20000, 40>(scene);
       MakeSome<100000, 5>(scene);
       MakeSome<1500000, 2>(scene);
       for (size_t i = 0; i < 107; ++i) {
         if (i % 4 != 0) scene.victims.Free(i);
       }
     },
     OthersMake<512, 20>,
     [](Scene& scene) {
       FreeOthers<10>(scene);
       subject::thread_detach();
     }},
    {"malloc and free in arenas",
     [](Scene& scene) {
       for (int i = 0; i < 100; ++i) {
         scene.victims.Add(subject::arena_malloc(scene.arena, 512), 512);
         scene.victims.Add(subject::arena_malloc(scene.run, 512), 512);
       }
     },
     Nothing,
     [](Scene& scene) {
       for (size_t i = 0; i < 150; ++i) scene.victims.Free(i);
       for (int i = 0; i < 60; ++i) {
         scene.victims.Add(subject::arena_malloc(scene.arena, 512), 512);
         scene.victims.Add(subject::arena_malloc(scene.run, 3000), 3000);
       }
       scene.victims.Add(subject::arena_malloc(scene.arena, 100000), 100000);
     }},
    {"free of another thread's in arenas",
     [](Scene& scene) {
       scene.victims.Add(subject::arena_malloc(scene.arena, 512), 512);
     },
     [](Scene& scene) {
       for (int i = 0; i < 100; ++i)
         scene.others.Add(subject::arena_malloc(scene.arena, 512), 512);
       scene.others.FillAll();
     },
     FreeOthers<90>},
    {"taking up what was left of an arena",
     [](Scene& scene) {
       const subject::ArenaOptions options = Options();
       scene.brief = subject::arena_create(&options);
       // More than three refills, and it is not left.
       for (const size_t size : {64, 128, 256})
         subject::arena_malloc(scene.brief, size);
     },
     [](Scene& scene) {
       subject::arena_malloc(scene.brief, 512);
       subject::arena_destroy(scene.brief);
       // The same object, with the heaps of both threads.
       const subject::ArenaOptions options = Options();
       scene.brief = subject::arena_create(&options);
     },
     [](Scene& scene) {
       // More than three refills, and it is not left.
       for (const size_t size : {64, 128, 256})
         subject::arena_malloc(scene.brief, size);
     }},
    {"arenas that come and go", Nothing, Nothing,
     [](Scene& scene) {
       for (const uint32_t mode : {subject::kGeneral, subject::kMonotonic}) {
         subject::ArenaOptions options = Options(mode);
         options.parent = scene.arena;
         subject::Arena* const arena = subject::arena_create(&options);
         for (int i = 0; i < 40; ++i) subject::arena_malloc(arena, 3000);
         subject::arena_destroy(arena);
       }
     }},
    {"arena_donate", BringGifts, Nothing,
     [](Scene& scene) {
       subject::arena_donate(scene.arena, scene.gifts, kGift);
       for (int i = 0; i < 10; ++i)
         scene.victims.Add(subject::arena_malloc(scene.arena, 20000), 20000);
       for (size_t i = 0; i < 10; i += 2) scene.victims.Free(i);
       subject::ArenaOptions options = Options();
       options.parent = scene.arena;
       subject::Arena* const arena = subject::arena_create(&options);
       subject::arena_donate(arena, scene.gifts + kGift, kGift);
       for (int i = 0; i < 10; ++i) subject::arena_malloc(arena, 20000);
       subject::arena_destroy(arena);
     }},
    {"arena_reset", Nothing, Nothing,
     [](Scene&) {
       const subject::ArenaOptions options = Options();
       subject::Arena* const arena = subject::arena_create(&options);
       for (int i = 0; i < 40; ++i) subject::arena_malloc(arena, 3000);
       subject::arena_reset(arena);
       for (int i = 0; i < 40; ++i) subject::arena_malloc(arena, 3000);
       subject::arena_destroy(arena);
     }},
    {"purge",
     [](Scene& scene) {
       MakeSome<20000, 40>(scene);
       MakeSome<100000, 5>(scene);
       for (size_t i = 0; i < 45; ++i) {
         if (i % 4 != 0) scene.victims.Free(i);
       }
     },
     Nothing, [](Scene&) { subject::purge(); }},
};

std::string NameOf(const testing::TestParamInfo<Operation>& operation) {
  std::string name = operation.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; },
      '_');
  return name;
}

}  // namespace contract
