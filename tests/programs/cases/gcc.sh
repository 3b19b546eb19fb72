# shellcheck shell=bash disable=SC2034,SC2154  # programs.sh reads these, and has those.
what="gcc -O2 on a large generated file"
packages="gcc"
needs=(/usr/bin/gcc)
version() { gcc --version; }

prepare() {
  awk -v n="$(quantity 250 100)" 'BEGIN {
    print "#include <stdio.h>"
    for (i = 0; i < n; ++i) {
      printf "struct s%d { int a[%d]; double d; struct s%d* next; };\n", i, i % 17 + 1, i
      printf "static int f%d(struct s%d* s, int x) {\n  int t = %d;\n", i, i, i
      printf "  for (int i = 0; i < x; ++i) {\n    switch (i %% 5) {\n"
      for (j = 0; j < 5; ++j)
        printf "      case %d: t += s->a[i %% %d] * %d + (int)s->d; break;\n", j, i % 17 + 1, i * j % 97
      printf "    }\n    if (s->next) s = s->next;\n  }\n  return t;\n}\n"
    }
    print "int main(void) {\n  int t = 0;"
    for (i = 0; i < n; ++i) printf "  { struct s%d s = {{1}, 2.5, 0}; t ^= f%d(&s, %d); }\n", i, i, i % 30
    print "  printf(\"%d\\n\", t);\n  return 0;\n}"
  }' >input.c
}

# What is compiled, and what that computes.
work() {
  preloaded gcc -O2 -S -o output.s input.c
  cksum <output.s
  preloaded gcc -O1 -o output input.c
  preloaded ./output
}
