// JSON as a tree whose every node, string, array and hash map has its memory
// from one allocator of type A, be it an arena's or std::allocator.
#ifndef EXAMPLES_ARENAS_TREE_H_
#define EXAMPLES_ARENAS_TREE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace arenas {

template <typename T, typename A>
using Rebind = typename std::allocator_traits<A>::template rebind_alloc<T>;

template <typename A>
using String = std::basic_string<char, std::char_traits<char>, Rebind<char, A>>;

template <typename A>
absl::string_view View(const String<A>& string) {
  return {string.data(), string.size()};
}

template <typename A>
struct Object;

// Back to the allocator that the object itself has.
struct DeleteObject {
  template <typename A>
  void operator()(Object<A>* object) const {
    Rebind<Object<A>, A> allocator(object->members.get_allocator());
    std::destroy_at(object);
    allocator.deallocate(object, 1);
  }
};

// Behind a pointer, since a hash map has to be of complete types.
template <typename A>
using ObjectPointer = std::unique_ptr<Object<A>, DeleteObject>;

template <typename A>
struct Value {
  using Array = std::vector<Value, Rebind<Value, A>>;

  std::variant<std::monostate, bool, double, String<A>, Array, ObjectPointer<A>>
      is;  // std::monostate: null
};

// Any type of string is hashed and compared as a view.
struct KeyHash {
  using is_transparent = void;
  template <typename Key>
  size_t operator()(const Key& key) const {
    return absl::HashOf(absl::string_view(key.data(), key.size()));
  }
};

struct KeyEqual {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return absl::string_view(a.data(), a.size()) ==
           absl::string_view(b.data(), b.size());
  }
};

template <typename A>
struct Object {
  using Members =
      absl::flat_hash_map<String<A>, Value<A>, KeyHash, KeyEqual,
                          Rebind<std::pair<const String<A>, Value<A>>, A>>;

  Object(size_t buckets, const A& allocator)
      : members(buckets, KeyHash(), KeyEqual(),
                typename Members::allocator_type(allocator)) {}

  Members members;
};

// An object with room for `count` members. To add more is a mistake: one of
// Abseil's hash maps is fit to be destroyed after a std::bad_alloc of its
// constructor, but not after one while it grows.
template <typename A>
ObjectPointer<A> MakeObject(size_t count, const A& allocator) {
  // Their load is 7/8 at most.
  const size_t buckets = count == 0 ? 0 : count + count / 7 + 1;
  Rebind<Object<A>, A> objects(allocator);
  // Frees the block if the constructor throws.
  struct Block {
    Rebind<Object<A>, A>& objects;
    Object<A>* block;
    ~Block() {
      if (block != nullptr) objects.deallocate(block, 1);
    }
  } raw{objects, objects.allocate(1)};
  ObjectPointer<A> object(::new (static_cast<void*>(raw.block))
                              Object<A>(buckets, allocator));
  raw.block = nullptr;
  return object;
}

}  // namespace arenas

#endif  // EXAMPLES_ARENAS_TREE_H_
