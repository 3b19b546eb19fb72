#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "examples/process/server_malloc_heap.h"

int main() {
  std::string text(1000, 'x');  // by operator new
  char* line = nullptr;         // and what libc allocates
  if (asprintf(&line, "%s", text.c_str()) < 0) return 1;
  std::printf("%d %d %d\n", server_owns(text.data()), server_owns(line),
              mallinfo2().uordblks >= 2000);
  free(line);
}
