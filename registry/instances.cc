#include "registry/instances.h"

namespace alcove::registry {

namespace {

// The fields that every layout has.
constexpr size_t kHead = offsetof(alcove_instance_descriptor, prefix);
static_assert(kHead == 24);

uintptr_t AddressOf(const void* p) { return reinterpret_cast<uintptr_t>(p); }

// Whether layout 1 can be as it is stated, in that object.
bool IsSound(const alcove_instance_descriptor& stated, const ElfNotes& object) {
  const Extent& all = object.extent();
  const auto holds_text = [&all](const char* text, uint32_t size) {
    return all.Holds(AddressOf(text), uint64_t{size} + 1);
  };
  return holds_text(stated.prefix, stated.prefix_size) &&
         holds_text(stated.version, stated.version_size) &&
         holds_text(stated.label, stated.label_size) &&
         (stated.config == nullptr ||
          holds_text(stated.config, stated.config_size)) &&
         all.Holds(AddressOf(stated.ranges),
                   uint64_t{stated.ranges_max} * sizeof(void*)) &&
         stated.unit_shift < 48 &&
         object.writable().Holds(AddressOf(stated.foreign_owner_hook),
                                 sizeof(alcove_foreign_owner_hook)) &&
         AddressOf(stated.foreign_owner_hook) % sizeof(void*) == 0;
}

}  // namespace

bool ReadDescriptor(Memory* memory, const ElfNotes& object,
                    const InstanceNote& note, Found* found) {
  alcove_instance_descriptor& stated = found->stated;
  __builtin_memset(&stated, 0, sizeof(stated));
  found->descriptor = note.descriptor;
  found->status = ALCOVE_INSTANCE_MALFORMED;
  const bool known = note.layout == ALCOVE_DESCRIPTOR_LAYOUT_1;
  stated.layout = note.layout;
  stated.struct_size = note.struct_size;
  if (!object.extent().Holds(note.descriptor, note.struct_size)) return true;
  if (note.struct_size < kHead) {
    if (!known) found->status = ALCOVE_INSTANCE_UNKNOWN_LAYOUT;
    return true;
  }
  if (!memory->Copy(note.descriptor, &stated, kHead) ||
      AddressOf(stated.self) != note.descriptor) {
    return false;
  }
  if (stated.magic != ALCOVE_DESCRIPTOR_MAGIC || stated.layout != note.layout ||
      stated.struct_size != note.struct_size) {
    return true;
  }
  if (!known) {
    found->status = ALCOVE_INSTANCE_UNKNOWN_LAYOUT;
    return true;
  }
  char* const rest = reinterpret_cast<char*>(&stated) + kHead;
  constexpr size_t kRest = sizeof(stated) - kHead;
  if (stated.struct_size >= sizeof(stated) &&
      memory->Copy(note.descriptor + kHead, rest, kRest) &&
      IsSound(stated, object)) {
    found->status = ALCOVE_INSTANCE_KNOWN;
  } else {
    __builtin_memset(rest, 0, kRest);
  }
  return true;
}

bool Instances::Next(Found* found) {
  for (;;) {
    InstanceNote note;
    while (notes_.Next(&note)) {
      // Who states no address of its own could be of a part.
      if (ReadDescriptor(memory_, notes_, note, found) &&
          !(is_part_ && found->stated.self == nullptr)) {
        return true;
      }
    }
    if (memory_->error() != 0 || !maps_.Next(&file_)) return false;
    notes_.Open(file_.start);
    is_part_ = file_.inode == before_inode_ && before_.Holds(file_.start, 1);
    if (is_part_) continue;
    before_inode_ = file_.inode;
    before_ = notes_.extent();
  }
}

long Instances::error() const {
  return memory_->error() != 0 ? memory_->error() : maps_.error();
}

namespace {

bool IsSame(const alcove_instance_descriptor& a,
            const alcove_instance_descriptor& b) {
  const auto* const left = reinterpret_cast<const char*>(&a);
  const auto* const right = reinterpret_cast<const char*>(&b);
  size_t i = 0;
  while (i < sizeof(a) && left[i] == right[i]) ++i;
  return i == sizeof(a);
}

// Copies a text into an array; false if it is not there.
bool CopyText(Memory* memory, const char* from, size_t size, char* to,
              size_t room, bool* whole) {
  const size_t copied = size < room ? size : room - 1;
  if (!memory->Copy(AddressOf(from), to, copied)) return false;
  to[copied] = '\0';
  for (size_t i = 0; i < copied; ++i) {
    const auto c = static_cast<unsigned char>(to[i]);
    if (c < 0x20 || c == 0x7f) to[i] = '?';
  }
  *whole = copied == size;
  return true;
}

}  // namespace

bool Instances::Describe(const Found& found, alcove_instance_entry* entry) {
  __builtin_memset(entry, 0, sizeof(*entry));
  entry->status = found.status;
  entry->descriptor = reinterpret_cast<const void*>(found.descriptor);
  entry->object = reinterpret_cast<const void*>(file_.start);
  entry->stated = found.stated;
  __builtin_memcpy(entry->file, file_.file, sizeof(entry->file));
  static_assert(sizeof(entry->file) == sizeof(file_.file));
  if (file_.truncated) entry->truncated |= ALCOVE_TRUNCATED_FILE;
  if (found.status != ALCOVE_INSTANCE_KNOWN) return true;
  const alcove_instance_descriptor& stated = found.stated;
  bool prefix;
  bool version;
  bool label;
  if (!CopyText(memory_, stated.prefix, stated.prefix_size, entry->prefix,
                sizeof(entry->prefix), &prefix) ||
      !CopyText(memory_, stated.version, stated.version_size, entry->version,
                sizeof(entry->version), &version) ||
      !CopyText(memory_, stated.label, stated.label_size, entry->label,
                sizeof(entry->label), &label)) {
    return false;
  }
  if (!prefix) entry->truncated |= ALCOVE_TRUNCATED_PREFIX;
  if (!version) entry->truncated |= ALCOVE_TRUNCATED_VERSION;
  if (!label) entry->truncated |= ALCOVE_TRUNCATED_LABEL;
  if (!IsKnownVersion(entry->version, ALCOVE_REGISTRY_VERSION))
    entry->status = ALCOVE_INSTANCE_UNKNOWN_VERSION;
  // They were its texts if it is still there behind them.
  alcove_instance_descriptor now;
  return memory_->Read(found.descriptor, &now) && IsSame(now, stated);
}

namespace {

// Reads "1.2.3" as one number; false if it is something else.
bool ParseVersion(const char* text, uint64_t* version) {
  constexpr uint64_t kPartMax = 99999;
  *version = 0;
  for (int part = 0; part < 3; ++part) {
    if (part != 0 && *text++ != '.') return false;
    if (*text < '0' || *text > '9') return false;
    uint64_t number = 0;
    for (; *text >= '0' && *text <= '9'; ++text) {
      number = number * 10 + static_cast<uint64_t>(*text - '0');
      if (number > kPartMax) return false;
    }
    *version = *version * (kPartMax + 1) + number;
  }
  return *text == '\0';
}

}  // namespace

bool IsKnownVersion(const char* version, const char* newest) {
  uint64_t is;
  uint64_t at_most;
  return ParseVersion(version, &is) && ParseVersion(newest, &at_most) &&
         is <= at_most;
}

}  // namespace alcove::registry
