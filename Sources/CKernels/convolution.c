#include "convolution.h"

#include <stdint.h>
#include <string.h>

// What differs between instruction sets.
typedef struct {
  void (*winograd_run)(const te_winograd_job *job, long piece, float *scratch);
  void (*patch_run)(const te_patch_job *job, long piece, float *scratch);
  // The columns and rows of a register tile.
  long columns, rows;
  const char *name;
} convolution_kernels;

// Output pixels that are computed together: their patches stay in the second-level cache.
enum { patch_piece = 96 };

static long round_up(long count, long unit) { return (count + unit - 1) / unit * unit; }

static long tile_count(long height, long width) { return ((height + 3) / 4) * ((width + 3) / 4); }

// Copies the patches of `count` output pixels from `first` on: rows of kernel × kernel × channels floats.
static void gather_patches(const te_patch_job *job, long first, long count, float *out) {
  long row = job->kernel * job->channels;
  for (long i = 0; i < count; i++) {
    long top = (first + i) / job->out_width * job->stride - job->before;
    long left = (first + i) % job->out_width * job->stride - job->before;
    long from = left < 0 ? -left : 0;
    long to = job->in_width - left < job->kernel ? job->in_width - left : job->kernel;
    for (long dy = 0; dy < job->kernel; dy++, out += row) {
      long y = top + dy;
      if (y < 0 || y >= job->in_height) {
        memset(out, 0, (size_t)row * 4);
        continue;
      }
      memset(out, 0, (size_t)(from * job->channels) * 4);
      memcpy(out + from * job->channels,
             job->input + (y * job->in_width + left + from) * job->channels,
             (size_t)((to - from) * job->channels) * 4);
      memset(out + to * job->channels, 0, (size_t)((job->kernel - to) * job->channels) * 4);
    }
  }
}

#define NAME(x) portable_##x
#define TARGET
#define LANES 4
#define ROWS 4
#define KERNEL_NAME "portable"
#include "convolution_template.h"

#if defined(__x86_64__)
#define NAME(x) avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#define KERNEL_NAME "avx2"
#include "convolution_template.h"

#define NAME(x) avx512_##x
#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define LANES 16
#define ROWS 12
#define KERNEL_NAME "avx512"
#include "convolution_template.h"
#endif

static const convolution_kernels *kernels(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return &avx512_kernels;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return &avx2_kernels;
#endif
  return &portable_kernels;
}

const char *te_convolution_kernel_name(void) { return kernels()->name; }

// MARK: Winograd

int te_winograd_supports(long channels) { return channels > 0 && channels % 16 == 0; }

long te_winograd_weight_floats(long channels, long outputs) {
  return 36 * channels * round_up(outputs, kernels()->columns);
}

void te_winograd_pack(const float *weights, long channels, long outputs, float *packed) {
  static const double g[6][3] = {{1.0 / 4, 0, 0},
                                 {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                                 {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                                 {1.0 / 24, 1.0 / 12, 1.0 / 6},
                                 {1.0 / 24, -1.0 / 12, 1.0 / 6},
                                 {0, 0, 1}};
  long width = kernels()->columns, columns = round_up(outputs, width);
  memset(packed, 0, (size_t)(36 * channels * columns) * 4);
  for (long k = 0; k < outputs; k++)
    for (long c = 0; c < channels; c++) {
      const float *w = weights + (k * channels + c) * 9;
      double lines[6][3];
      for (int i = 0; i < 6; i++)
        for (int j = 0; j < 3; j++)
          lines[i][j] = g[i][0] * w[j] + g[i][1] * w[3 + j] + g[i][2] * w[6 + j];
      float *place = packed + (k / width * width) * channels + c * width + k % width;
      for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
          place[(6 * i + j) * columns * channels] =
              (float)(lines[i][0] * g[j][0] + lines[i][1] * g[j][1] + lines[i][2] * g[j][2]);
    }
}

long te_winograd_piece_tiles(long height, long width, int workers) {
  long total = tile_count(height, width);
  long rounds = (total + 48 * workers) / (96 * workers);
  long pieces = workers * (rounds > 0 ? rounds : 1);
  return round_up((total + pieces - 1) / pieces, kernels()->rows);
}

long te_winograd_pieces(const te_winograd_job *job) {
  return (tile_count(job->height, job->width) + job->piece_tiles - 1) / job->piece_tiles;
}

long te_winograd_scratch_floats(const te_winograd_job *job) {
  long rows = round_up(job->piece_tiles, kernels()->rows);
  return 36 * (rows * (job->channels + round_up(job->outputs, kernels()->columns)) + 32);
}

void te_winograd_run(const te_winograd_job *job, long piece, float *scratch) {
  kernels()->winograd_run(job, piece, scratch);
}

// MARK: Patches

long te_patch_weight_floats(long channels, long kernel, long outputs) {
  return channels * kernel * kernel * round_up(outputs, kernels()->columns);
}

void te_patch_pack(const float *weights, long channels, long kernel, long outputs, float *packed) {
  long width = kernels()->columns, taps = kernel * kernel, depth = taps * channels;
  memset(packed, 0, (size_t)te_patch_weight_floats(channels, kernel, outputs) * 4);
  for (long k = 0; k < outputs; k++)
    for (long c = 0; c < channels; c++)
      for (long tap = 0; tap < taps; tap++)
        packed[k / width * width * depth + (tap * channels + c) * width + k % width] =
            weights[(k * channels + c) * taps + tap];
}

long te_patch_pieces(const te_patch_job *job) {
  return (job->out_height * job->out_width + patch_piece - 1) / patch_piece;
}

long te_patch_scratch_floats(const te_patch_job *job) {
  return (patch_piece + TE_ROW_SLACK) * job->kernel * job->kernel * job->channels;
}

void te_patch_run(const te_patch_job *job, long piece, float *scratch) {
  kernels()->patch_run(job, piece, scratch);
}

// MARK: Channels

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

CLONES void te_channel_affine(const float *x, long pixels, long channels, const float *scale,
                              const float *shift, float *out) {
  for (long i = 0; i < pixels; i++)
    for (long c = 0; c < channels; c++)
      out[i * channels + c] = x[i * channels + c] * scale[c] + shift[c];
}

CLONES void te_channel_moments(const float *x, long pixels, long channels, const float *centre,
                               double *sums, double *squares) {
  enum { width = 32, run = 64 };
  for (long c = 0; c < channels; c += width) {
    long lanes = channels - c < width ? channels - c : width;
    for (long start = 0; start < pixels; start += run) {
      long end = pixels - start < run ? pixels : start + run;
      // Short sums in single precision, so that they vectorise; long ones in double.
      float sum[width] = {0}, square[width] = {0};
      if (lanes == width) {
        for (long i = start; i < end; i++)
          for (long j = 0; j < width; j++) {
            float difference = x[i * channels + c + j] - centre[c + j];
            sum[j] += difference;
            square[j] += difference * difference;
          }
      } else {
        for (long i = start; i < end; i++)
          for (long j = 0; j < lanes; j++) {
            float difference = x[i * channels + c + j] - centre[c + j];
            sum[j] += difference;
            square[j] += difference * difference;
          }
      }
      for (long j = 0; j < lanes; j++) {
        sums[c + j] += sum[j];
        squares[c + j] += square[j];
      }
    }
  }
}
