/* What a program must have before its libraries start.

   OpenBLAS starts its threads and maps a buffer for each of them while it is loaded. Where the system refuses the buffer it
   asks again for ever, and where it refuses a thread it interrupts the program; no later code of ours could say why. Functions
   listed in `.preinit_array` run before those of any library, so the limits are tried here. macOS has neither such a list nor
   an enforced limit of address space. */

#define _GNU_SOURCE
#include "program_start.h"

#include <stdlib.h>

/* Known once a header of the system's has been read. */
#if defined(__linux__) && defined(__GLIBC__)

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* What OpenBLAS maps for a thread that multiplies, and a thread's stack beside it. */
static const size_t thread_bytes = ((size_t)128 + 16) << 20;
/* What the programs take beside that at the least, for libraries' data and small datasets. */
static const size_t program_bytes = (size_t)384 << 20;
/* More threads than OpenBLAS would start. */
enum { most_threads = 64 };

static long processors(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? count : 1;
}

/* The threads OpenBLAS will start, by the variables it reads itself. */
static long blas_threads(void) {
  static const char *const names[] = {"OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS"};
  long most = processors();
  if (most > most_threads) most = most_threads;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *text = getenv(names[i]);
    long count = text == NULL ? 0 : strtol(text, NULL, 10);
    if (count > 0) return count < most ? count : most;
  }
  return most;
}

static int can_map(size_t bytes) {
  void *place = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED) return 0;
  munmap(place, bytes);
  return 1;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *unused) {
  (void)unused;
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return NULL;
}

/* How many of `wanted` threads the system starts beside this one. */
static long startable(long wanted) {
  static pthread_t threads[4 * most_threads];
  long count = 0;
  pthread_mutex_lock(&gate);
  while (count < wanted && pthread_create(&threads[count], NULL, wait_at_gate, NULL) == 0) count++;
  pthread_mutex_unlock(&gate);
  for (long i = 0; i < count; i++) pthread_join(threads[i], NULL);
  return count;
}

static void refuse(const char *sentence) {
  ssize_t written = write(STDERR_FILENO, sentence, strlen(sentence));
  (void)written;
  _exit(EXIT_FAILURE);
}

static void check_limits(void) {
  char sentence[512];
  long threads = blas_threads();
  struct rlimit space;
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
    long fitting = threads;
    while (fitting > 0 && !can_map(program_bytes + (size_t)fitting * thread_bytes)) fitting--;
    if (fitting < threads) {
      unsigned long long allowed = (unsigned long long)space.rlim_cur >> 20;
      if (fitting > 0) {
        snprintf(
            sentence, sizeof sentence,
            "Error: a limit of %llu MB of address space (ulimit -v) is too little for %ld threads; raise it, or set "
            "OPENBLAS_NUM_THREADS=%ld.\n",
            allowed, threads, fitting);
      } else {
        snprintf(
            sentence, sizeof sentence,
            "Error: a limit of %llu MB of address space (ulimit -v) is too little: one thread takes at least %zu MB "
            "beside the libraries; raise the limit.\n",
            allowed, (program_bytes + thread_bytes) >> 20);
      }
      refuse(sentence);
    }
  }
  /* OpenBLAS's, those of parallel loops, and one that waits for signals. */
  long cores = processors() < most_threads ? processors() : most_threads;
  long wanted = threads - 1 + cores + 1;
  long count = startable(wanted);
  if (count < wanted) {
    snprintf(
        sentence, sizeof sentence,
        "Error: the system starts only %ld of %ld threads for this program; raise the limit of the user's processes "
        "(ulimit -u) or of the container, or use fewer processors (taskset -c 0).\n",
        count, wanted);
    refuse(sentence);
  }
}

__attribute__((section(".preinit_array"), used)) static void (*const check_at_start)(void) = check_limits;

#endif
