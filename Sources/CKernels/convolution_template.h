// The convolution kernels, written once in vectors of LANES floats; convolution.c includes this file with
//   NAME(x)   the name of `x` for this instruction set
//   TARGET    the attribute that enables it
//   LANES     floats in a vector
//   ROWS      rows of a register tile, which is 2·LANES wide

#define INLINE static inline __attribute__((always_inline)) TARGET

typedef float NAME(vf) __attribute__((vector_size(LANES * 4)));
typedef int32_t NAME(vi) __attribute__((vector_size(LANES * 4)));
typedef float NAME(vf_any) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#define VF NAME(vf)
#define VI NAME(vi)
#define LOAD(p) (*(const NAME(vf_any) *)(p))
#define STORE(p, v) (*(NAME(vf_any) *)(p) = (v))
// Less zero, not plus zero: x − 0 is x whatever its sign, so that nothing is left of it but the broadcast.
#define SPREAD(s) ((s) - (VF){0})

// Sums of products: out[r][c] = Σ_k a[r·lda + k]·panel[k][c] for a register tile.
INLINE void NAME(products)(long depth, const float *a, long lda, const float *panel, float *out,
                           long stride) {
  VF sums[ROWS][2];
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = SPREAD(0.0f);
  for (long k = 0; k < depth; k++) {
    VF b0 = LOAD(panel + k * 2 * LANES), b1 = LOAD(panel + k * 2 * LANES + LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++) {
      float x = a[r * lda + k];
      sums[r][0] += x * b0;
      sums[r][1] += x * b1;
    }
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++) {
    STORE(out + r * stride, sums[r][0]);
    STORE(out + r * stride + LANES, sums[r][1]);
  }
}

// x / (1 + e⁻ˣ). The exponential is 2ⁿ·eʳ with n = round(x / ln 2) and a polynomial for |r| ≤ ln 2 / 2 (after Cephes),
// good to about one unit in the last place; below −87 the result is zero to single precision.
INLINE VF NAME(swish)(VF x) {
  VF y = __builtin_elementwise_min(__builtin_elementwise_max(-x, SPREAD(-87.0f)), SPREAD(87.0f));
  // Adding 1.5·2²³ leaves the rounded quotient in the low bits of the float.
  VF shifted = y * 1.44269504088896341f + 12582912.0f;
  VF n = shifted - 12582912.0f;
  VF r = y - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  VF p = SPREAD(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  VF power = (VF)((VI)p + ((VI)shifted << 23));
  return x / (power + 1.0f);
}

// MARK: Winograd's F(4×4, 3×3), with the points 0, ±1, ±2 and infinity (Lavin and Gray, 2016)

// One dimension of the transform of the input: Bᵀ·d for six values `step` apart.
INLINE void NAME(input_line)(const VF *d, int step, VF *out, int out_step) {
  VF d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step],
     d5 = d[5 * step];
  VF even = d4 - 4.0f * d2, odd = d3 - 4.0f * d1;
  VF even2 = d4 - d2, odd2 = 2.0f * (d3 - d1);
  out[0] = 4.0f * d0 - 5.0f * d2 + d4;
  out[out_step] = even + odd;
  out[2 * out_step] = even - odd;
  out[3 * out_step] = even2 + odd2;
  out[4 * out_step] = even2 - odd2;
  out[5 * out_step] = 4.0f * d1 - 5.0f * d3 + d5;
}

// One dimension of the transform of the products: Aᵀ·m for six values `step` apart.
INLINE void NAME(output_line)(const VF *m, int step, VF *out, int out_step) {
  VF sum1 = m[step] + m[2 * step], difference1 = m[step] - m[2 * step];
  VF sum2 = m[3 * step] + m[4 * step], difference2 = m[3 * step] - m[4 * step];
  out[0] = m[0] + sum1 + sum2;
  out[out_step] = difference1 + 2.0f * difference2;
  out[2 * out_step] = sum1 + 4.0f * sum2;
  out[3 * out_step] = difference1 + 8.0f * difference2 + m[5 * step];
}

TARGET static void NAME(transform_input)(const te_winograd_job *job, long tile, float *out,
                                         long plane) {
  long across = (job->width + 3) / 4;
  long top = tile / across * 4 - 1, left = tile % across * 4 - 1;
  long in_width = job->upsample ? job->width / 2 : job->width;
  for (long c = 0; c < job->channels; c += LANES) {
    VF pixels[36], lines[36];
    VF scale = SPREAD(1.0f), shift = SPREAD(0.0f);
    if (job->scale) {
      scale = LOAD(job->scale + c);
      shift = LOAD(job->shift + c);
    }
    for (int i = 0; i < 6; i++) {
      long y = top + i;
      for (int j = 0; j < 6; j++) {
        long x = left + j;
        if (y < 0 || y >= job->height || x < 0 || x >= job->width) {
          pixels[6 * i + j] = SPREAD(0.0f);
          continue;
        }
        long place = job->upsample ? (y / 2) * in_width + x / 2 : y * in_width + x;
        VF value = LOAD(job->input + place * job->channels + c);
        pixels[6 * i + j] = job->scale ? NAME(swish)(value * scale + shift) : value;
      }
    }
    for (int j = 0; j < 6; j++) NAME(input_line)(pixels + j, 6, lines + j, 6);
    for (int i = 0; i < 6; i++) {
      VF line[6];
      NAME(input_line)(lines + 6 * i, 1, line, 1);
      for (int j = 0; j < 6; j++) STORE(out + (6 * i + j) * plane + c, line[j]);
    }
  }
}

TARGET static void NAME(transform_output)(const te_winograd_job *job, long tile,
                                          const float *products, long plane) {
  long across = (job->width + 3) / 4;
  long top = tile / across * 4, left = tile % across * 4;
  for (long k = 0; k < job->outputs; k += LANES) {
    long lanes = job->outputs - k < LANES ? job->outputs - k : LANES;
    VF values[36], lines[24], bias = SPREAD(0.0f);
    memcpy(&bias, job->bias + k, (size_t)lanes * 4);
    for (int p = 0; p < 36; p++) values[p] = LOAD(products + p * plane + k);
    for (int j = 0; j < 6; j++) NAME(output_line)(values + j, 6, lines + j, 6);
    for (int i = 0; i < 4; i++) {
      if (top + i >= job->height) break;
      VF line[4];
      NAME(output_line)(lines + 6 * i, 1, line, 1);
      for (int j = 0; j < 4; j++) {
        if (left + j >= job->width) break;
        long place = ((top + i) * job->width + left + j) * job->outputs + k;
        VF value = line[j] + bias;
        if (lanes == LANES) {
          if (job->residual) value += LOAD(job->residual + place);
          STORE(job->output + place, value);
        } else {
          for (long lane = 0; lane < lanes; lane++)
            job->output[place + lane] =
                value[lane] + (job->residual ? job->residual[place + lane] : 0);
        }
      }
    }
  }
}

TARGET static void NAME(winograd_run)(const te_winograd_job *job, long piece, float *scratch) {
  long total = tile_count(job->height, job->width);
  long first = piece * job->piece_tiles;
  long tiles = total - first < job->piece_tiles ? total - first : job->piece_tiles;
  long rows = round_up(tiles, ROWS), columns = round_up(job->outputs, 2 * LANES);
  long depth = job->channels;
  // The planes are a cache line apart from a multiple of the page size, or they would share few sets of the cache.
  long in_plane = rows * depth + 16, out_plane = rows * columns + 16;
  float *inputs = scratch, *products = scratch + 36 * in_plane;
  for (long t = 0; t < tiles; t++)
    NAME(transform_input)(job, first + t, inputs + t * depth, in_plane);
  for (long t = tiles; t < rows; t++)
    for (int p = 0; p < 36; p++)
      memset(inputs + p * in_plane + t * depth, 0, (size_t)depth * 4);
  for (int p = 0; p < 36; p++)
    for (long column = 0; column < columns; column += 2 * LANES) {
      const float *panel = job->weights + ((long)p * columns + column) * depth;
      for (long t = 0; t < rows; t += ROWS)
        NAME(products)(depth, inputs + p * in_plane + t * depth, depth, panel,
                       products + p * out_plane + t * columns + column, columns);
    }
  for (long t = 0; t < tiles; t++)
    NAME(transform_output)(job, first + t, products + t * columns, out_plane);
}

// MARK: Products with patches

TARGET static void NAME(patch_run)(const te_patch_job *job, long piece, float *scratch) {
  long pixels = job->out_height * job->out_width;
  long first = piece * patch_piece;
  long count = pixels - first < patch_piece ? pixels - first : patch_piece;
  long depth = job->kernel * job->kernel * job->channels;
  long columns = round_up(job->outputs, 2 * LANES);
  const float *patches = job->input + first * depth;
  if (job->kernel > 1 || job->stride > 1) {
    gather_patches(job, first, count, scratch);
    patches = scratch;
  }
  for (long column = 0; column < columns; column += 2 * LANES) {
    long width = job->outputs - column < 2 * LANES ? job->outputs - column : 2 * LANES;
    for (long row = 0; row < count; row += ROWS) {
      float tile[ROWS * 2 * LANES];
      NAME(products)(depth, patches + row * depth, depth, job->weights + column * depth, tile,
                     2 * LANES);
      for (long r = 0; r < ROWS && row + r < count; r++) {
        long place = (first + row + r) * job->outputs + column;
        for (long c = 0; c < width; c++) {
          float value = tile[r * 2 * LANES + c] + job->bias[column + c];
          job->output[place + c] = value + (job->residual ? job->residual[place + c] : 0);
        }
      }
    }
  }
}

static const convolution_kernels NAME(kernels) = {
    NAME(winograd_run), NAME(patch_run), 2 * LANES, ROWS, KERNEL_NAME};

#undef INLINE
#undef VF
#undef VI
#undef LOAD
#undef STORE
#undef SPREAD
#undef NAME
#undef TARGET
#undef LANES
#undef ROWS
#undef KERNEL_NAME
