#include "app/heaps/lunch_heap.h"

int main() { lunch_free(lunch_malloc(1)); }
