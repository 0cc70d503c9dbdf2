#include "worker_team.h"

#include "kernels_internal.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#if defined(__x86_64__)
#define RELAX() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define RELAX() __asm__ volatile("yield")
#else
#define RELAX() ((void)0)
#endif

// How often a waiting thread looks for work before it sleeps: some hundred microseconds.
enum { SPINS = 20000 };

struct te_team {
  int workers;
  const te_kernels *kernels;
  pthread_t *threads;
  pthread_mutex_t mutex;
  pthread_cond_t work_arrived;
  te_team_body body;
  void *context;
  int stopping;
  // Counts the loops started; the workers wait for it to change.
  _Alignas(64) _Atomic unsigned generation;
  _Atomic int sleeping;
  // How many helpers have not finished the current loop.
  _Alignas(64) _Atomic int running;
};

typedef struct {
  te_team *team;
  int worker;
} te_helper;

static void wait_for_work(te_team *team, unsigned seen) {
  for (int spin = 0; spin < SPINS; spin++) {
    if (atomic_load_explicit(&team->generation, memory_order_acquire) != seen) return;
    RELAX();
  }
  pthread_mutex_lock(&team->mutex);
  atomic_fetch_add(&team->sleeping, 1);
  while (atomic_load(&team->generation) == seen) {
    pthread_cond_wait(&team->work_arrived, &team->mutex);
  }
  atomic_fetch_sub(&team->sleeping, 1);
  pthread_mutex_unlock(&team->mutex);
}

static void *helper_main(void *argument) {
  te_helper helper = *(te_helper *)argument;
  free(argument);
  te_team *team = helper.team;
  for (unsigned seen = 0;;) {
    wait_for_work(team, seen);
    seen = atomic_load_explicit(&team->generation, memory_order_acquire);
    if (team->stopping) return NULL;
    team->body(team->context, helper.worker);
    atomic_fetch_sub_explicit(&team->running, 1, memory_order_release);
  }
}

static void announce(te_team *team) {
  atomic_fetch_add(&team->generation, 1);
  // A helper counts itself as sleeping before it looks at the generation for the last time, both in one total
  // order with this: either it sees the new generation, or it is seen here.
  if (atomic_load(&team->sleeping) > 0) {
    pthread_mutex_lock(&team->mutex);
    pthread_cond_broadcast(&team->work_arrived);
    pthread_mutex_unlock(&team->mutex);
  }
}

te_team *te_team_create(int workers) {
  void *memory = NULL;
  if (posix_memalign(&memory, 64, sizeof(te_team)) != 0) return NULL;
  te_team *team = memory;
  team->workers = 1;
  team->kernels = te_chosen_kernels;
  team->threads = calloc((size_t)(workers > 1 ? workers : 1), sizeof(pthread_t));
  team->body = NULL;
  team->context = NULL;
  team->stopping = 0;
  atomic_init(&team->generation, 0);
  atomic_init(&team->sleeping, 0);
  atomic_init(&team->running, 0);
  pthread_mutex_init(&team->mutex, NULL);
  pthread_cond_init(&team->work_arrived, NULL);
  if (team->threads == NULL) {
    te_team_destroy(team);
    return NULL;
  }
  for (int worker = 1; worker < workers; worker++) {
    te_helper *helper = malloc(sizeof(te_helper));
    if (helper != NULL) {
      *helper = (te_helper){team, worker};
      if (pthread_create(&team->threads[worker], NULL, helper_main, helper) == 0) {
        team->workers = worker + 1;
        continue;
      }
      free(helper);
    }
    te_team_destroy(team);
    return NULL;
  }
  return team;
}

void te_team_destroy(te_team *team) {
  if (team == NULL) return;
  team->stopping = 1;
  announce(team);
  for (int worker = 1; worker < team->workers; worker++) pthread_join(team->threads[worker], NULL);
  pthread_cond_destroy(&team->work_arrived);
  pthread_mutex_destroy(&team->mutex);
  free(team->threads);
  free(team);
}

int te_team_workers(const te_team *team) { return team->workers; }

const te_kernels *te_team_kernels(const te_team *team) { return team->kernels; }

void te_team_set_kernels(te_team *team, const te_kernels *kernels) { team->kernels = kernels; }

void te_team_run(te_team *team, te_team_body body, void *context) {
  if (team->workers > 1) {
    team->body = body;
    team->context = context;
    atomic_store_explicit(&team->running, team->workers - 1, memory_order_relaxed);
    announce(team);
  }
  body(context, 0);
  // A helper that takes this long has lost its processor to another program: leave it one.
  for (int spin = 0; atomic_load_explicit(&team->running, memory_order_acquire) != 0; spin++) {
    if (spin < SPINS) {
      RELAX();
    } else {
      sched_yield();
    }
  }
}

void te_pieces_start(te_cursor *cursors, int workers, long count) {
  for (int worker = 0; worker < workers; worker++) {
    atomic_init(&cursors[worker].next, count * worker / workers);
    cursors[worker].end = count * (worker + 1) / workers;
  }
}

long te_pieces_next(te_cursor *cursors, int workers, int worker) {
  for (int tried = 0; tried < workers; tried++) {
    te_cursor *cursor = &cursors[(worker + tried) % workers];
    if (atomic_load_explicit(&cursor->next, memory_order_relaxed) >= cursor->end) continue;
    long piece = atomic_fetch_add_explicit(&cursor->next, 1, memory_order_relaxed);
    if (piece < cursor->end) return piece;
  }
  return -1;
}
