// The tokenizer's blocks: the instance `words_`, by its C functions.
#ifndef EXAMPLES_COEXIST_WORD_H_
#define EXAMPLES_COEXIST_WORD_H_

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "examples/coexist/text.h"
#include "examples/coexist/words_heap.h"

namespace coexist {

// A word in lower case, in a block of its own.
class Word {
 public:
  Word(absl::string_view text, Place place)
      : text_(static_cast<char*>(words_malloc(text.size()))),
        size_(text.size()),
        place_(place) {
    if (text_ == nullptr) throw std::bad_alloc();
    std::transform(text.begin(), text.end(), text_, absl::ascii_tolower);
  }
  Word(Word&& other) noexcept
      : text_(std::exchange(other.text_, nullptr)),
        size_(other.size_),
        place_(other.place_) {}
  Word& operator=(Word&&) = delete;
  // By whichever thread has the word last. Telling the size is optional, and
  // checked.
  ~Word() { words_free_sized(text_, size_); }

  absl::string_view text() const { return {text_, size_}; }
  Place place() const { return place_; }

 private:
  char* text_;
  size_t size_;
  Place place_;
};

// What tokenizers hand to indexers.
using Batch = std::vector<Word, words::allocator<Word>>;

}  // namespace coexist

#endif  // EXAMPLES_COEXIST_WORD_H_
