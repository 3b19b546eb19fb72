#include "examples/coexist/pipeline.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/string_view.h"
#include "examples/coexist/text.h"
#include "examples/coexist/word.h"
#include "examples/common/channel.h"

namespace coexist {

namespace {

constexpr size_t kBatchWords = 512;

using Batches = common::Channel<Batch>;
using Bulletins = common::Channel<Bulletin>;

// Takes one file after the other, and sends its words to the indexers they
// belong to.
void Tokenize(const std::vector<File>& files, std::atomic<uint32_t>& next_file,
              std::deque<Batches>& indexers, Ownership& ownership) {
  std::vector<Batch> batches(indexers.size());
  const auto send = [&](size_t i) {
    ownership.Sample(Owner::kWords, batches[i].data());
    ownership.Sample(Owner::kWords, batches[i].front().text().data());
    indexers[i].Send(std::exchange(batches[i], Batch()));
  };
  for (uint32_t file = next_file++; file < files.size(); file = next_file++) {
    // A copy, so that every thread uses malloc too.
    const std::vector<char> text(files[file].text.begin(),
                                 files[file].text.end());
    if (!text.empty()) ownership.Sample(Owner::kMalloc, text.data());
    ForEachWord({text.data(), text.size()},
                [&](absl::string_view spelling, uint32_t line) {
                  Word word(spelling, Place{file, line});
                  const size_t i = WordHash()(word.text()) % batches.size();
                  if (batches[i].empty()) batches[i].reserve(kBatchWords);
                  batches[i].push_back(std::move(word));
                  if (batches[i].size() == kBatchWords) send(i);
                });
  }
  for (size_t i = 0; i < batches.size(); ++i) {
    if (!batches[i].empty()) send(i);
    indexers[i].Close();
  }
}

// Enters words into the index, and tells the reporter.
void EnterWords(Batches& inbox, Index& index, Bulletins& reporter,
                Ownership& ownership) {
  while (std::optional<Batch> batch = inbox.Receive()) {
    Bulletin bulletin(report::resource());
    bulletin.reserve(batch->size());
    for (const Word& word : *batch) {
      const absl::string_view text = word.text();
      auto entry = index.find(text);
      if (entry == index.end()) {
        entry = index.emplace(IndexString(text.data(), text.size()), Places())
                    .first;
      }
      entry->second.push_back(word.place());
      bulletin.emplace_back(
          std::pmr::string(text.data(), text.size(), report::resource()), 1);
    }
    const Places& places = index.find(batch->front().text())->second;
    ownership.Sample(Owner::kCatalog, places.data());
    ownership.Sample(Owner::kReport, bulletin.data());
    reporter.Send(std::move(bulletin));
  }
  // Tokenizers finish in any order.
  for (auto& [word, places] : index) std::sort(places.begin(), places.end());
  reporter.Close();
}

// Keeps the report in order as news arrive.
void KeepReport(Bulletins& inbox, Report& report, Ownership& ownership) {
  while (std::optional<Bulletin> bulletin = inbox.Receive()) {
    for (News& news : *bulletin) {
      const auto [entry, is_new] = report.try_emplace(std::move(news.word), 0);
      entry->second += news.count;
      if (is_new && report.size() % 64 == 0)
        ownership.Sample(Owner::kReport, &*entry);
    }
  }
}

}  // namespace

Answer BuildIndex(const std::vector<File>& files, int threads,
                  Ownership& ownership) {
  Answer answer;
  answer.shards.resize(threads);
  Bulletins bulletins(threads);
  std::deque<Batches> batches;
  for (int i = 0; i < threads; ++i) batches.emplace_back(threads);

  std::atomic<uint32_t> next_file = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back(
        [&] { Tokenize(files, next_file, batches, ownership); });
    workers.emplace_back([&, i] {
      EnterWords(batches[i], answer.shards[i], bulletins, ownership);
    });
  }
  workers.emplace_back(
      [&] { KeepReport(bulletins, answer.report, ownership); });
  for (std::thread& worker : workers) worker.join();
  return answer;
}

}  // namespace coexist
