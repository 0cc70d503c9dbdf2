#include "weight_product.h"

#include "kernels_internal.h"

const te_kernels *te_chosen_kernels = &te_portable_kernels;

// The kernels for an instruction set; NULL where this processor lacks it.
static const te_kernels *kernels_for(te_instructions instructions) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (instructions == TE_AVX512) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")
               ? &te_avx512_kernels
               : NULL;
  }
  if (instructions == TE_AVX2) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &te_avx2_kernels : NULL;
  }
#endif
  return instructions == TE_PORTABLE ? &te_portable_kernels : NULL;
}

__attribute__((constructor)) static void choose_kernels(void) {
  for (int instructions = TE_AVX512; instructions >= TE_PORTABLE; instructions--) {
    const te_kernels *kernels = kernels_for((te_instructions)instructions);
    if (kernels == NULL) continue;
    te_chosen_kernels = kernels;
    return;
  }
}

int te_team_use(te_team *team, te_instructions instructions) {
  const te_kernels *kernels = kernels_for(instructions);
  if (kernels == NULL) return 0;
  te_team_set_kernels(team, kernels);
  return 1;
}

const char *te_kernel_name(void) { return te_chosen_kernels->name; }

// Outputs that a worker takes at a time.
enum { PIECE = 96, GATED_PIECE = 48 };
// Packing is shared out in pieces of so many columns, and by one worker alone if there are fewer elements than these.
enum { PACKED_COLUMNS = 32, LEAST_SHARED_PACKING = 8192 };
// More workers than any team has would need a longer array of cursors.
enum { MOST_WORKERS = 256 };

static long padded(long count) { return (count + 15) / 16 * 16; }

long te_weight_product_scratch(int workers, long rows, long inputs) {
  return padded(padded(rows) * inputs) + workers * 2 * rows * GATED_PIECE;
}

typedef struct {
  const te_kernels *kernels;
  te_weights a, b;
  int gated, accumulate;
  // As given, and packed.
  const float *x;
  float *packed;
  long rows;
  float *y, *scratch;
  int workers;
  te_cursor *cursors;
} te_job;

static void work(void *context, int worker) {
  const te_job *job = context;
  const te_kernels *kernels = job->kernels;
  const long outputs = job->a.outputs;
  const long size = job->gated || job->accumulate ? GATED_PIECE : PIECE;
  float *first_half = job->scratch + worker * 2 * job->rows * GATED_PIECE;
  float *second_half = first_half + job->rows * GATED_PIECE;
  for (long piece; (piece = te_pieces_next(job->cursors, job->workers, worker)) >= 0;) {
    const long first = piece * size;
    const long last = first + size < outputs ? first + size : outputs;
    if (!job->gated && !job->accumulate) {
      kernels->products(&job->a, job->packed, job->rows, first, last, job->y + first, outputs);
      continue;
    }
    kernels->products(&job->a, job->packed, job->rows, first, last, first_half, GATED_PIECE);
    if (job->gated) {
      kernels->products(&job->b, job->packed, job->rows, first, last, second_half, GATED_PIECE);
      kernels->gate(first_half, second_half, job->rows * GATED_PIECE);
    }
    for (long r = 0; r < job->rows; r++) {
      float *y = job->y + r * outputs + first;
      const float *result = first_half + r * GATED_PIECE;
      if (job->accumulate) {
        kernels->add(y, result, last - first);
      } else {
        for (long j = 0; j < last - first; j++) y[j] = result[j];
      }
    }
  }
}

static void pack_share(void *context, int worker) {
  const te_job *job = context;
  const long inputs = job->a.inputs, units = inputs / PACKED_COLUMNS;
  const long start = units * worker / job->workers * PACKED_COLUMNS;
  const long end = worker + 1 == job->workers ? inputs
                                              : units * (worker + 1) / job->workers * PACKED_COLUMNS;
  job->kernels->pack(job->a.precision, job->x, job->rows, inputs, start, end, job->packed);
}

static void run(te_team *team, te_job *job, const float *x, float *scratch) {
  te_cursor cursors[MOST_WORKERS];
  job->kernels = te_team_kernels(team);
  job->x = x;
  job->packed = scratch;
  job->scratch = scratch + padded(padded(job->rows) * job->a.inputs);
  job->workers = te_team_workers(team);
  if (job->rows * job->a.inputs < LEAST_SHARED_PACKING) {
    job->kernels->pack(job->a.precision, x, job->rows, job->a.inputs, 0, job->a.inputs, scratch);
  } else {
    te_team_run(team, pack_share, job);
  }
  job->cursors = cursors;
  const long size = job->gated || job->accumulate ? GATED_PIECE : PIECE;
  te_pieces_start(cursors, job->workers, (job->a.outputs + size - 1) / size);
  te_team_run(team, work, job);
}

void te_weight_product(te_team *team, te_weights weights, const float *x, long rows, float *y,
                        int accumulate, float *scratch) {
  te_job job = {.a = weights, .accumulate = accumulate, .rows = rows, .y = y};
  run(team, &job, x, scratch);
}

void te_gated_weight_product(te_team *team, te_weights a, te_weights b, const float *x, long rows, float *y,
                     float *scratch) {
  te_job job = {.a = a, .b = b, .gated = 1, .rows = rows, .y = y};
  run(team, &job, x, scratch);
}
