// A C program without a thought of Alcove that allocates wherever libc calls
// malloc for it or lets it: in the dynamic loader, while libraries are opened
// and closed, while threads' storage is set up and torn down, before main and
// after it. Run with libalcove.so preloaded; then no block may be any other
// malloc's.
//
//   early_and_late PLUGIN    early_plugin.c, with thread-local storage of its own
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

// The preloaded library's; null where there is none.
extern int libalcove_owns(const void* address) __attribute__((weak));
extern char** environ;

enum { kThreads = 8, kRounds = 8 };

static const char* plugin_path;

static void Check(int good, const char* what) {
  if (good) return;
  const char* const texts[] = {"FAILED: ", what, "\n"};
  for (int i = 0; i < 3; ++i) {
    if (write(STDERR_FILENO, texts[i], strlen(texts[i])) < 0) _exit(2);
  }
  _exit(1);
}

// One block of each kind; frees all but the last.
static void* Use(const char* when) {
  void* kept = NULL;
  for (size_t size = 1; size <= 3000000; size = size * 7 + 1) {
    free(kept);
    kept = realloc(malloc(size), size + 100);
    Check(kept != NULL && (!libalcove_owns || libalcove_owns(kept)), when);
    memset(kept, 5, size);
    free(calloc(3, size));
    void* aligned = NULL;
    Check(posix_memalign(&aligned, 256, size) == 0, when);
    free(aligned);
  }
  return kept;
}

// Each is freed at a later time of the process's life.
static void* from_preinit;
static void* from_constructor;
static void* from_main;

static void Preinit(int argc, char** argv, char** environment) {
  (void)argc, (void)argv, (void)environment;
  from_preinit = Use("before any constructor");
}
__attribute__((section(".preinit_array"),
               used)) static void (*preinit)(int, char**, char**) = Preinit;

__attribute__((constructor(101))) static void First(void) {
  free(from_preinit);
  from_constructor = Use("the first constructor");
}

__attribute__((destructor(101))) static void Last(void) {
  free(Use("the last destructor"));
  Check(write(STDOUT_FILENO, "good\n", 5) == 5, "write");
}

static void AtExit(void) {
  free(from_main);
  free(Use("at exit"));
}

static pthread_key_t key;

// Later in a thread's end than an instance's own key, and once more after it.
static void KeyGone(void* block) {
  static __thread int times;
  free(block);
  if (++times < 3) {
    Check(pthread_setspecific(key, Use("a key's destructor")) == 0, "key");
  }
}

static void* Thread(void* number) {
  Check(pthread_setspecific(key, malloc(100)) == 0, "key");
  for (int round = 0; round < kRounds; ++round) {
    void* const library = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
    Check(library != NULL, "dlopen");
    void* (*const use)(size_t) = (void* (*)(size_t))dlsym(library, "UsePlugin");
    Check(use != NULL, "dlsym");
    // Its thread-local storage is set up at the first touch, by malloc.
    void* const block = use((size_t)number);
    Check(!libalcove_owns || libalcove_owns(block), "the plugin's block");
    free(block);
    Check(dlclose(library) == 0, "dlclose");
  }
  return Use("a thread");
}

static void Threads(void) {
  pthread_t threads[kThreads];
  for (size_t i = 0; i < kThreads; ++i) {
    Check(pthread_create(&threads[i], NULL, Thread, (void*)i) == 0, "thread");
  }
  for (size_t i = 0; i < kThreads; ++i) {
    void* block = NULL;
    pthread_join(threads[i], &block);
    free(block);
  }
}

// A libc of its own with a malloc of its own, and the one loader that both
// have.
static void OtherNamespace(void) {
  void* const library = dlmopen(LM_ID_NEWLM, plugin_path, RTLD_NOW);
  if (library == NULL) return;  // a loader that has no room for one
  void* (*const use)(size_t) = (void* (*)(size_t))dlsym(library, "UsePlugin");
  void (*const give_back)(void*) = (void (*)(void*))dlsym(library, "GiveBack");
  Check(use != NULL && give_back != NULL, "dlsym in another namespace");
  give_back(use(1));
  dlclose(library);
}

static void Spawn(void) {
  char* const words[] = {"/bin/true", NULL};
  pid_t child;
  int status = -1;
  Check(posix_spawn(&child, words[0], NULL, NULL, words, environ) == 0,
        "posix_spawn");
  Check(waitpid(child, &status, 0) == child && status == 0, "the spawned");
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  plugin_path = argv[1];
  free(from_constructor);
  from_main = Use("main");
  Check(atexit(AtExit) == 0, "atexit");
  Check(pthread_key_create(&key, KeyGone) == 0, "key");
  Threads();
  const pid_t child = fork();
  if (child == 0) {
    Threads();
    exit(0);  // through all that comes after main
  }
  int status = -1;
  Check(waitpid(child, &status, 0) == child && status == 0, "the child");
  OtherNamespace();
  Spawn();
  return 0;
}
