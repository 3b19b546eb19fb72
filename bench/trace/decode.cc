#include <cstring>

#include "bench/trace/models.h"
#include "bench/trace/trace.h"

namespace bench {

namespace {

constexpr size_t kHashSize = sizeof(uint64_t);
// More than any trace that we would want to replay; keeps block numbers far
// from 32 bits.
constexpr size_t kFileMax = size_t{1} << 28;

class Decoder {
 public:
  Decoder(std::string_view file, Trace* trace)
      : bytes_(file.substr(0, file.size() - kHashSize)),
        at_(kTraceMagicSize),
        trace_(trace),
        // An operation takes at least a byte.
        live_(static_cast<uint32_t>(bytes_.size())),
        sizes_of_(bytes_.size()) {}

  // Empty if all went well.
  std::string Run() {
    uint64_t count = 0;
    if (!Number(bytes_.size(), "the number of operations", &count)) {
      return error_;
    }
    trace_->ops = MappedArray<Op>(count);
    uint64_t done = 0;
    uint8_t code;
    while (Byte(&code) && code != kCodeEnd) {
      if (code == kCodeThread) {
        if (!Thread()) return error_;
        continue;
      }
      if (done == count) return Fail("more operations than announced");
      if (!Operation(code, &trace_->ops[done])) return error_;
      ++done;
    }
    if (!error_.empty()) return error_;
    if (done != count) return Fail("fewer operations than announced");
    if (at_ != bytes_.size()) return Fail("something after the end");
    trace_->blocks = made_;
    trace_->threads = threads_;
    return "";
  }

 private:
  std::string Fail(std::string what) {
    error_ = std::move(what) + " at byte " + std::to_string(at_);
    return error_;
  }

  bool Byte(uint8_t* byte) {
    if (at_ == bytes_.size()) {
      Fail("the trace ends in the middle");
      return false;
    }
    *byte = static_cast<uint8_t>(bytes_[at_++]);
    return true;
  }

  bool Number(uint64_t max, const char* what, uint64_t* number) {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      uint8_t byte;
      if (!Byte(&byte)) return false;
      if (shift > 56) {
        Fail(std::string(what) + " is too long");
        return false;
      }
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    if (value > max) {
      Fail(std::string(what) + " is " + std::to_string(value) +
           ", more than the " + std::to_string(max) + " that can be,");
      return false;
    }
    *number = value;
    return true;
  }

  bool Thread() {
    uint64_t thread;
    if (!Number(Trace::kThreadsMax - 1, "the thread", &thread)) return false;
    // In the order of their first appearance, so that there are no idle ones.
    if (thread > threads_) {
      Fail("thread " + std::to_string(thread) + " comes before thread " +
           std::to_string(threads_));
      return false;
    }
    thread_ = static_cast<unsigned>(thread);
    return true;
  }

  bool Take(uint64_t rank, Op* op) {
    if (rank >= live_.count()) {
      Fail("a block of rank " + std::to_string(rank) + " where " +
           std::to_string(live_.count()) + " are live");
      return false;
    }
    op->takes = live_.BlockOf(static_cast<uint32_t>(rank));
    live_.Take(op->takes);
    bytes_live_ -= sizes_of_[op->takes];
    return true;
  }

  void Make(uint64_t size, Op* op) {
    op->size = size;
    op->makes = live_.Make();
    made_ = op->makes + 1;
    sizes_of_[op->makes] = size;
    bytes_live_ += size;
    if (bytes_live_ > trace_->bytes_peak) trace_->bytes_peak = bytes_live_;
    if (live_.count() > trace_->blocks_peak) {
      trace_->blocks_peak = live_.count();
    }
  }

  bool Operation(uint8_t code, Op* op) {
    *op = {};
    op->takes = op->makes = Op::kNone;
    op->thread = thread_;
    if (thread_ == threads_) ++threads_;
    uint64_t rank = 0, size = 0, alignment = 0;
    const auto number = [this](uint64_t max, const char* what, uint64_t* to) {
      return Number(max, what, to);
    };
    if (code < kCodeFreeYoung) {
      if (code >= recent_.count()) {
        Fail("a size " + std::to_string(code) + " back where there were " +
             std::to_string(recent_.count()));
        return false;
      }
      op->kind = static_cast<uint8_t>(OpKind::kMalloc);
      Make(recent_.at(code), op);
      recent_.Touch(code);
      return true;
    }
    if (code < kCodeMalloc) {
      op->kind = static_cast<uint8_t>(OpKind::kFree);
      return Take(code - kCodeFreeYoung, op);
    }
    switch (code) {
      case kCodeMalloc:
        op->kind = static_cast<uint8_t>(OpKind::kMalloc);
        if (!number(Trace::kSizeMax, "a size", &size)) return false;
        if (recent_.Find(size) != recent_.count()) {
          Fail("a size spelled out that was there already");
          return false;
        }
        recent_.Add(size);
        break;
      case kCodeCalloc:
        op->kind = static_cast<uint8_t>(OpKind::kCalloc);
        if (!number(Trace::kSizeMax, "a size", &size)) return false;
        break;
      case kCodeAligned:
        op->kind = static_cast<uint8_t>(OpKind::kAligned);
        if (!number(Trace::kAlignmentLogMax, "an alignment's logarithm",
                    &alignment) ||
            !number(Trace::kSizeMax, "a size", &size)) {
          return false;
        }
        op->alignment = alignment;
        break;
      case kCodeRealloc:
        op->kind = static_cast<uint8_t>(OpKind::kRealloc);
        if (!number(UINT32_MAX, "a rank", &rank) ||
            !number(Trace::kSizeMax, "a size", &size) || !Take(rank, op)) {
          return false;
        }
        break;
      case kCodeFreeOld:
        op->kind = static_cast<uint8_t>(OpKind::kFree);
        return number(UINT32_MAX, "a rank", &rank) &&
               Take(rank + kYoungRanks, op);
      default:
        Fail("no operation begins with " + std::to_string(code));
        return false;
    }
    Make(size, op);
    return true;
  }

  std::string_view bytes_;
  size_t at_;
  Trace* trace_;
  LiveBlocks live_;
  MappedArray<uint64_t> sizes_of_;
  RecentSizes recent_;
  uint32_t made_ = 0;
  uint64_t bytes_live_ = 0;
  unsigned thread_ = 0;
  unsigned threads_ = 0;
  std::string error_;
};

}  // namespace

uint64_t TraceHash(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

bool Decode(std::string_view file, Trace* trace, std::string* error) {
  *trace = Trace();
  if (file.substr(0, kTraceMagicSize) !=
      std::string_view(kTraceMagic, kTraceMagicSize)) {
    *error = "not a trace, or of another format";
    return false;
  }
  if (file.size() < kTraceMagicSize + kHashSize || file.size() > kFileMax) {
    *error = "too short or too long for a trace";
    return false;
  }
  uint64_t hash = 0;
  for (size_t i = 0; i < kHashSize; ++i) {
    hash |=
        uint64_t{static_cast<unsigned char>(file[file.size() - kHashSize + i])}
        << (8 * i);
  }
  if (hash != TraceHash(file.substr(0, file.size() - kHashSize))) {
    *error = "cut short or damaged: the hash at its end does not fit";
    return false;
  }
  *error = Decoder(file, trace).Run();
  if (error->empty()) return true;
  *trace = Trace();
  return false;
}

}  // namespace bench
