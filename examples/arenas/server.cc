#include "examples/arenas/server.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "examples/arenas/request_heap.h"
#include "examples/common/channel.h"

namespace arenas {

namespace {

using Clock = std::chrono::steady_clock;
using Queue = common::Channel<Request>;

constexpr size_t kFailuresMax = 5;

// Where no number of requests says when half of them are done.
constexpr uint64_t kBadAt = 100;

void Work(Queue& queue, const Document* first, const Limits& limits,
          Results& results) {
  while (const std::optional<Request> request = queue.Receive()) {
    const Outcome outcome = Serve(*request, limits);
    results.tallies[request->document - first].Add(outcome, limits);
    if (outcome.status != Outcome::Status::kServed &&
        results.failures.size() < kFailuresMax) {
      results.failures.push_back({*request, outcome});
    }
  }
  // Not needed before the thread ends, but its cache is back at once.
  request_thread_detach();
}

void SendAll(const std::vector<Document>& documents, const Plan& plan,
             Queue& queue) {
  std::vector<const Document*> good;
  std::vector<const Document*> bad;
  for (const Document& document : documents) {
    (document.bad ? bad : good).push_back(&document);
  }

  const Clock::time_point end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(
                         std::chrono::duration<double>(plan.seconds));
  uint64_t number = 0;
  uint64_t next_good = 0;
  const auto send = [&](const Document* document) {
    queue.Send({++number, document});
  };
  const auto send_bad = [&] {
    for (const Document* document : bad) send(document);
    bad.clear();
  };
  const uint64_t bad_at = plan.requests == 0 ? kBadAt : plan.requests / 2;
  while (plan.requests == 0 ? Clock::now() < end
                            : number + bad.size() < plan.requests) {
    if (number >= bad_at) send_bad();
    send(good[next_good++ % good.size()]);
  }
  send_bad();
  queue.Close();
}

}  // namespace

void Tally::Add(const Outcome& outcome, const Limits& limits) {
  switch (outcome.status) {
    case Outcome::Status::kServed:
      ++served;
      break;
    case Outcome::Status::kWrong:
      ++wrong;
      break;
    case Outcome::Status::kNoMemory:
      ++no_memory;
      break;
  }
  if (!outcome.at_home) ++astray;
  soft_quota_calls += outcome.soft_quota_calls;
  const bool over =
      limits.soft_quota != 0 && outcome.bytes_held > limits.soft_quota;
  if (over) ++over_soft_quota;
  if (outcome.status == Outcome::Status::kServed &&
      over != (outcome.soft_quota_calls > 0)) {
    ++calls_amiss;
  }
  bytes_held = std::max(bytes_held, outcome.bytes_held);
  create_ns.Add(outcome.create_ns);
  destroy_ns.Add(outcome.destroy_ns);
  total_ns.Add(outcome.total_ns);
  all_arenas_ns += outcome.create_ns + outcome.destroy_ns;
  all_requests_ns += outcome.total_ns;
}

void Tally::Merge(const Tally& other) {
  served += other.served;
  wrong += other.wrong;
  no_memory += other.no_memory;
  astray += other.astray;
  soft_quota_calls += other.soft_quota_calls;
  over_soft_quota += other.over_soft_quota;
  calls_amiss += other.calls_amiss;
  bytes_held = std::max(bytes_held, other.bytes_held);
  create_ns.Merge(other.create_ns);
  destroy_ns.Merge(other.destroy_ns);
  total_ns.Merge(other.total_ns);
  all_arenas_ns += other.all_arenas_ns;
  all_requests_ns += other.all_requests_ns;
}

Results RunServer(const std::vector<Document>& documents, const Plan& plan) {
  Results all;
  all.tallies.resize(documents.size());
  std::vector<Results> results(plan.threads, all);
  const Clock::time_point begun = Clock::now();
  {
    Queue queue(1);
    std::vector<std::thread> workers;
    workers.reserve(plan.threads);
    for (Results& own : results) {
      workers.emplace_back(
          [&] { Work(queue, documents.data(), plan.limits, own); });
    }
    SendAll(documents, plan, queue);
    for (std::thread& worker : workers) worker.join();
  }
  all.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  for (const Results& own : results) {
    for (size_t i = 0; i < documents.size(); ++i) {
      all.tallies[i].Merge(own.tallies[i]);
    }
    all.failures.insert(all.failures.end(), own.failures.begin(),
                        own.failures.end());
  }
  for (const Tally& tally : all.tallies) all.total.Merge(tally);
  std::sort(all.failures.begin(), all.failures.end(),
            [](const Failure& a, const Failure& b) {
              return a.request.number < b.request.number;
            });
  if (all.failures.size() > kFailuresMax) all.failures.resize(kFailuresMax);
  return all;
}

}  // namespace arenas
