#include "bench/trace/encode.h"

namespace bench {

namespace {

void AppendNumber(uint64_t number, std::string* to) {
  while (number >= 0x80) {
    to->push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  to->push_back(static_cast<char>(number));
}

}  // namespace

void Encoder::Begin(unsigned thread) {
  if (thread != thread_) {
    body_.push_back(static_cast<char>(kCodeThread));
    AppendNumber(thread, &body_);
    thread_ = thread;
  }
  ++operations_;
}

uint32_t Encoder::Malloc(unsigned thread, uint64_t size) {
  Begin(thread);
  const uint32_t place = recent_.Find(size);
  if (place < recent_.count()) {
    body_.push_back(static_cast<char>(kCodeMallocRecent + place));
    recent_.Touch(place);
  } else {
    body_.push_back(static_cast<char>(kCodeMalloc));
    AppendNumber(size, &body_);
    recent_.Add(size);
  }
  return live_.Make();
}

uint32_t Encoder::Calloc(unsigned thread, uint64_t size) {
  Begin(thread);
  body_.push_back(static_cast<char>(kCodeCalloc));
  AppendNumber(size, &body_);
  return live_.Make();
}

uint32_t Encoder::Aligned(unsigned thread, unsigned alignment_log,
                          uint64_t size) {
  Begin(thread);
  body_.push_back(static_cast<char>(kCodeAligned));
  AppendNumber(alignment_log, &body_);
  AppendNumber(size, &body_);
  return live_.Make();
}

uint32_t Encoder::Realloc(unsigned thread, uint32_t block, uint64_t size) {
  Begin(thread);
  body_.push_back(static_cast<char>(kCodeRealloc));
  AppendNumber(live_.RankOf(block), &body_);
  AppendNumber(size, &body_);
  live_.Take(block);
  return live_.Make();
}

void Encoder::Free(unsigned thread, uint32_t block) {
  Begin(thread);
  const uint32_t rank = live_.RankOf(block);
  if (rank < kYoungRanks) {
    body_.push_back(static_cast<char>(kCodeFreeYoung + rank));
  } else {
    body_.push_back(static_cast<char>(kCodeFreeOld));
    AppendNumber(rank - kYoungRanks, &body_);
  }
  live_.Take(block);
}

std::string Encoder::Finish() const {
  std::string file(kTraceMagic, kTraceMagicSize);
  AppendNumber(operations_, &file);
  file += body_;
  file.push_back(static_cast<char>(kCodeEnd));
  const uint64_t hash = TraceHash(file);
  for (int i = 0; i < 8; ++i)
    file.push_back(static_cast<char>(hash >> (8 * i)));
  return file;
}

}  // namespace bench
