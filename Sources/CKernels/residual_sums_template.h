// The kernels of residual_sums.h for TE_SCALAR; included once for each scalar type.

#define TE_JOIN2(a, b) a##_##b
#define TE_JOIN(a, b) TE_JOIN2(a, b)
#define TE_NAME(name) TE_JOIN(name, TE_SUFFIX)

// With the channels known, rows of both sums stay in registers: four rows of each at a time. Written as vectors, because
// compilers left alone gather and scatter the sums by columns, ten times as slow.
#define TE_FIXED_PRODUCTS(CHANNELS)                                                               \
  static inline __attribute__((always_inline)) void TE_NAME(fixed_products_##CHANNELS)(           \
      size_t images, const TE_SCALAR *u, size_t stride, const TE_SCALAR *a, const TE_SCALAR *b,   \
      double *first, double *second) {                                                            \
    typedef TE_SCALAR vector __attribute__((vector_size(CHANNELS * sizeof(TE_SCALAR))));          \
    for (size_t start = 0; start < CHANNELS; start += 4) {                                        \
      vector one[4] = {{0}, {0}, {0}, {0}}, two[4] = {{0}, {0}, {0}, {0}};                        \
      for (size_t i = 0; i < images; i++) {                                                       \
        const TE_SCALAR *row = u + i * stride;                                                    \
        vector x;                                                                                 \
        memcpy(&x, row, sizeof x);                                                                \
        vector ax = a[i] * x, bx = b[i] * x;                                                      \
        for (size_t r = 0; r < 4; r++) {                                                          \
          one[r] += row[start + r] * ax;                                                          \
          two[r] += row[start + r] * bx;                                                          \
        }                                                                                         \
      }                                                                                           \
      for (size_t r = 0; r < 4; r++)                                                              \
        for (size_t c = 0; c < CHANNELS; c++) {                                                   \
          first[(start + r) * CHANNELS + c] += (double)one[r][c];                                 \
          second[(start + r) * CHANNELS + c] += (double)two[r][c];                                \
        }                                                                                         \
    }                                                                                             \
  }
TE_FIXED_PRODUCTS(4)
TE_FIXED_PRODUCTS(8)
TE_FIXED_PRODUCTS(16)
#undef TE_FIXED_PRODUCTS

static inline __attribute__((always_inline)) void TE_NAME(products)(
    size_t images, const TE_SCALAR *u, size_t stride, size_t channels, const TE_SCALAR *a,
    double *sums) {
  for (size_t i = 0; i < images; i++) {
    const TE_SCALAR *x = u + i * stride;
    for (size_t r = 0; r < channels; r++) {
      TE_SCALAR scaled = a[i] * x[r];
      double *row = sums + r * channels;
      for (size_t c = 0; c <= r; c++) row[c] += (double)(scaled * x[c]);
    }
  }
}

TE_CLONES void TE_NAME(te_residual_products)(
    size_t images, const TE_SCALAR *u, size_t stride, size_t channels, const TE_SCALAR *a,
    const TE_SCALAR *b, double *first, double *second) {
  switch (channels) {
    case 4: TE_NAME(fixed_products_4)(images, u, stride, a, b, first, second); return;
    case 8: TE_NAME(fixed_products_8)(images, u, stride, a, b, first, second); return;
    case 16: TE_NAME(fixed_products_16)(images, u, stride, a, b, first, second); return;
    default: break;
  }
  TE_NAME(products)(images, u, stride, channels, a, first);
  TE_NAME(products)(images, u, stride, channels, b, second);
}

static inline __attribute__((always_inline)) void TE_NAME(fixed_norms)(
    size_t images, const TE_SCALAR *u, size_t stride, size_t channels, const TE_SCALAR *transform,
    TE_SCALAR *norms) {
  // The transform by columns, so that one number of u meets a whole vector.
  TE_SCALAR columns[TE_FIXED_LIMIT * TE_FIXED_LIMIT];
  for (size_t r = 0; r < channels; r++)
    for (size_t c = 0; c < channels; c++) columns[c * channels + r] = transform[r * channels + c];
  for (size_t i = 0; i < images; i++) {
    const TE_SCALAR *x = u + i * stride;
    TE_SCALAR y[TE_FIXED_LIMIT];
    for (size_t r = 0; r < channels; r++) y[r] = 0;
    for (size_t c = 0; c < channels; c++)
      for (size_t r = 0; r < channels; r++) y[r] += columns[c * channels + r] * x[c];
    TE_SCALAR sum = 0;
    for (size_t r = 0; r < channels; r++) sum += y[r] * y[r];
    norms[i] = sum;
  }
}

TE_CLONES void TE_NAME(te_residual_norms)(
    size_t images, const TE_SCALAR *u, size_t stride, size_t channels, const TE_SCALAR *transform,
    TE_SCALAR *norms) {
  switch (channels) {
    case 4: TE_NAME(fixed_norms)(images, u, stride, 4, transform, norms); return;
    case 8: TE_NAME(fixed_norms)(images, u, stride, 8, transform, norms); return;
    case 16: TE_NAME(fixed_norms)(images, u, stride, 16, transform, norms); return;
    default: break;
  }
  for (size_t i = 0; i < images; i++) {
    const TE_SCALAR *x = u + i * stride;
    TE_SCALAR sum = 0;
    for (size_t r = 0; r < channels; r++) {
      TE_SCALAR y = 0;
      for (size_t c = 0; c <= r; c++) y += transform[r * channels + c] * x[c];
      sum += y * y;
    }
    norms[i] = sum;
  }
}

TE_CLONES void TE_NAME(te_squared_lengths)(
    size_t images, const TE_SCALAR *z, size_t stride, size_t width, double *sums) {
  for (size_t i = 0; i < images; i++) {
    const TE_SCALAR *x = z + i * stride;
    TE_SCALAR sum = 0;
    for (size_t c = 0; c < width; c++) sum += x[c] * x[c];
    sums[i] += (double)sum;
  }
}

TE_CLONES double TE_NAME(te_leverage_weights)(
    size_t images, const double *leverages, double least, TE_SCALAR *a, TE_SCALAR *b) {
  double sum = 0;
  for (size_t i = 0; i < images; i++) {
    double rest = 1 - leverages[i];
    rest = rest > least ? rest : least;
    double excess = (1 - rest) / rest;
    a[i] = (TE_SCALAR)(1 / (rest * rest));
    b[i] = (TE_SCALAR)excess;
    sum += excess;
  }
  return sum;
}

static inline __attribute__((always_inline)) void TE_NAME(fixed_blocks)(
    size_t images, const float *rows, size_t width, const double *mean, const size_t *sequence,
    size_t count, size_t size, TE_SCALAR *blocks, size_t stride) {
  for (size_t i = 0; i < images; i++) {
    const float *row = rows + i * width;
    TE_SCALAR *to = blocks + i * stride;
    for (size_t b = 0; b < count; b++) {
      size_t from = sequence[b] * size;
      for (size_t c = 0; c < size; c++)
        to[b * size + c] = (TE_SCALAR)((double)row[from + c] - mean[from + c]);
    }
  }
}

TE_CLONES void TE_NAME(te_centred_blocks)(
    size_t images, const float *rows, size_t width, const double *mean, const size_t *sequence,
    size_t count, size_t size, TE_SCALAR *blocks, size_t stride) {
  if (size == 8)
    TE_NAME(fixed_blocks)(images, rows, width, mean, sequence, count, 8, blocks, stride);
  else
    TE_NAME(fixed_blocks)(images, rows, width, mean, sequence, count, size, blocks, stride);
}

TE_CLONES void TE_NAME(te_influences)(
    size_t images, const TE_SCALAR *norms, const TE_SCALAR *squared, const TE_SCALAR *excess,
    double ratio, double scale, double *influences) {
  if (!squared) {
    for (size_t i = 0; i < images; i++)
      influences[i] = scale * (1 + (double)excess[i]) * (double)norms[i];
    return;
  }
  for (size_t i = 0; i < images; i++)
    influences[i] =
        scale * ((double)squared[i] - ratio * (double)excess[i]) * (double)norms[i];
}

TE_CLONES void TE_NAME(te_rounded)(size_t count, const double *x, TE_SCALAR *rounded) {
  for (size_t i = 0; i < count; i++) rounded[i] = (TE_SCALAR)x[i];
}

#undef TE_JOIN2
#undef TE_JOIN
#undef TE_NAME
