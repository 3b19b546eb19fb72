#include "core/hardening/misuse.h"

#include "core/base/line.h"
#include "core/hardening/foreign_owner.h"

namespace ALCOVE_CORE_NAMESPACE {

namespace {

const char* Describe(Misuse misuse) {
  switch (misuse) {
    case Misuse::kDoubleFree:
      return "double free of";
    case Misuse::kFreeInside:
      return "free inside a block at";
    case Misuse::kFreeNeverAllocated:
      return "free of a block never allocated at";
    case Misuse::kFreeNoBlock:
      return "free of memory that is in no block, at";
    case Misuse::kFreeForeign:
      return "free of memory that is not this instance's, at";
    case Misuse::kUseAfterFree:
      return "size or realloc asked of memory that is in no block, at";
    case Misuse::kUseInside:
      return "size or realloc asked of the inside of a block at";
    case Misuse::kUseForeign:
      return "size or realloc asked of memory that is not this instance's, at";
    case Misuse::kRangeFreed:
      return "free_range of memory that was given back already, at";
    case Misuse::kRangeBeyond:
      return "free_range beyond the end of the block, from";
    case Misuse::kWritePastEnd:
      return "write past the end of";
    case Misuse::kWriteAfterFree:
      return "write to freed memory at";
    case Misuse::kWrongSize:
      return "sized free with a size that cannot be that of";
    case Misuse::kWrongAlignment:
      return "sized free with an alignment that cannot be that of";
  }
  return "misuse of";
}

}  // namespace

ALCOVE_COLD void Stop(Misuse misuse, const void* address, size_t block_size) {
  TextLine line;
  line.Text(Describe(misuse)).Text(" ").Address(address);
  if (block_size != 0)
    line.Text(" (a block of ").Decimal(block_size).Text(" bytes)");
  if (misuse == Misuse::kFreeForeign || misuse == Misuse::kUseForeign)
    NameForeignOwner(address, &line);
  line.Stop();
}

}  // namespace ALCOVE_CORE_NAMESPACE
