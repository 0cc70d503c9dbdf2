#include "transformer_kernels.h"

#include <string.h>

#include "kernels_internal.h"

typedef struct {
  const te_kernels *kernels;
  const float *x, *weight, *bias;
  long rows, width;
  float epsilon;
  int gelu;
  float *out;
  int workers;
} te_norm_work;

static void norm_share(void *context, int worker) {
  const te_norm_work *work = context;
  const long width = work->width;
  const long end = work->rows * (worker + 1) / work->workers;
  for (long r = work->rows * worker / work->workers; r < end; r++) {
    work->kernels->rms_norm(work->x + r * width, work->weight, width, work->epsilon,
                            work->out + r * width);
  }
}

// Fewer elements than these are normalised before another worker has heard of them.
enum { LEAST_SHARED_NORM = 8192 };

static void run_rows(te_team *team, te_norm_work work, te_team_body body) {
  work.kernels = te_team_kernels(team);
  work.workers = 1;
  if (work.rows * work.width < LEAST_SHARED_NORM) {
    body(&work, 0);
  } else {
    work.workers = te_team_workers(team);
    te_team_run(team, body, &work);
  }
}

void te_rms_norm(te_team *team, const float *x, const float *weight, long rows, long width,
                 float epsilon, float *out) {
  run_rows(team,
           (te_norm_work){
               .x = x, .weight = weight, .rows = rows, .width = width, .epsilon = epsilon, .out = out},
           norm_share);
}

static void layer_norm_share(void *context, int worker) {
  const te_norm_work *work = context;
  const long width = work->width;
  const long end = work->rows * (worker + 1) / work->workers;
  for (long r = work->rows * worker / work->workers; r < end; r++) {
    work->kernels->layer_norm(work->x + r * width, work->weight, work->bias, width, work->epsilon,
                              work->out + r * width);
  }
}

void te_layer_norm(te_team *team, const float *x, const float *weight, const float *bias, long rows,
                   long width, float epsilon, float *out) {
  run_rows(team,
           (te_norm_work){.x = x, .weight = weight, .bias = bias, .rows = rows, .width = width,
                          .epsilon = epsilon, .out = out},
           layer_norm_share);
}

static void bias_share(void *context, int worker) {
  const te_norm_work *work = context;
  const long width = work->width;
  const long end = work->rows * (worker + 1) / work->workers;
  for (long r = work->rows * worker / work->workers; r < end; r++) {
    (work->gelu ? work->kernels->bias_gelu : work->kernels->add_bias)(work->out + r * width,
                                                                      work->bias, width);
  }
}

void te_add_bias(te_team *team, float *x, const float *bias, long rows, long width, int gelu) {
  run_rows(team,
           (te_norm_work){.bias = bias, .rows = rows, .width = width, .gelu = gelu, .out = x},
           bias_share);
}

void te_softmax(const te_team *team, float *values, long count) {
  (team == NULL ? te_chosen_kernels : te_team_kernels(team))->softmax(values, count);
}

static long blocks_of(long count) { return (count + TE_KEY_BLOCK - 1) / TE_KEY_BLOCK; }

long te_key_floats(long capacity, long head_width) {
  return blocks_of(capacity) * TE_KEY_BLOCK * head_width;
}

long te_value_floats(long capacity, long head_width) {
  return capacity * blocks_of(head_width) * TE_KEY_BLOCK;
}

static long scratch_per_worker(long rows, long capacity, long head_width) {
  // The queries and one key, and the sums and scores of as many queries as are taken together.
  return TE_KEY_BLOCK * (blocks_of((rows + 1) * head_width) +
                         TE_QUERY_BLOCK * (blocks_of(head_width) + blocks_of(capacity)));
}

long te_attention_scratch(int workers, long rows, long capacity, long head_width) {
  return workers * scratch_per_worker(rows, capacity, head_width);
}

enum { MOST_WORKERS = 256 };

typedef struct {
  const te_attention_job *job;
  const te_kernels *kernels;
  te_cursor *cursors;
  int workers;
} te_attention_work;

static void attend(void *context, int worker) {
  const te_attention_work *work = context;
  const te_attention_job *job = work->job;
  float *scratch =
      job->scratch + worker * scratch_per_worker(job->rows, job->capacity, job->head_width);
  for (long piece; (piece = te_pieces_next(work->cursors, work->workers, worker)) >= 0;) {
    work->kernels->attend(job, piece / job->heads, piece % job->heads, scratch);
  }
}

void te_attention(te_team *team, const te_attention_job *job) {
  te_cursor cursors[MOST_WORKERS];
  te_attention_work work = {job, te_team_kernels(team), cursors, te_team_workers(team)};
  te_pieces_start(cursors, work.workers, job->slots * job->heads);
  te_team_run(team, attend, &work);
}

void te_widen_bfloat16(const uint16_t *src, long count, float *dst) {
  for (long i = 0; i < count; i++) {
    uint32_t bits = (uint32_t)src[i] << 16;
    memcpy(&dst[i], &bits, 4);
  }
}

void te_widen_float16(const uint16_t *src, long count, float *dst) {
  for (long i = 0; i < count; i++) {
    const uint32_t sign = (uint32_t)(src[i] & 0x8000) << 16;
    const uint32_t exponent = (src[i] >> 10) & 31, fraction = src[i] & 1023;
    if (exponent == 0) {
      // Zero or subnormal: the fraction counts units of 2⁻²⁴.
      const float magnitude = (float)fraction * 0x1p-24f;
      dst[i] = sign ? -magnitude : magnitude;
      continue;
    }
    const uint32_t bits =
        sign | (exponent == 31 ? 255u : exponent + 112) << 23 | fraction << 13;
    memcpy(&dst[i], &bits, 4);
  }
}

void te_narrow_bfloat16(const float *src, long count, uint16_t *dst) {
  for (long i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, &src[i], 4);
    const int is_nan = (bits & 0x7fffffff) > 0x7f800000;
    // A NaN keeps its upper bits and stays quiet; rounding could carry it into infinity.
    dst[i] = is_nan ? (uint16_t)(bits >> 16 | 0x40)
                    : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}

typedef struct {
  const char *bytes;
  long count;
  int workers;
  _Atomic uint64_t total;
} te_read_work;

static void read_share(void *context, int worker) {
  te_read_work *work = context;
  const long first = work->count / work->workers * worker;
  const long last =
      worker + 1 == work->workers ? work->count : work->count / work->workers * (worker + 1);
  work->total ^= te_chosen_kernels->read_all(work->bytes + first, last - first);
}

uint64_t te_read_all(te_team *team, const void *bytes, long count) {
  te_read_work work = {bytes, count, te_team_workers(team), 0};
  te_team_run(team, read_share, &work);
  return work.total;
}
