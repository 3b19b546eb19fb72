#include "app/menu.h"

#include <string.h>

#include "app/heaps/lunch_heap.h"

char* menu_copy(const char* text) {
  const size_t size = strlen(text) + 1;
  char* copy = lunch_malloc(size);
  if (copy != NULL) memcpy(copy, text, size);
  return copy;
}
