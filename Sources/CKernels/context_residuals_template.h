// The kernels of context_residuals.h for TE_SCALAR; included once for each scalar type.

#define TE_JOIN2(a, b) a##_##b
#define TE_JOIN(a, b) TE_JOIN2(a, b)
#define TE_NAME(name) TE_JOIN(name, TE_SUFFIX)

typedef TE_SCALAR TE_NAME(lanes) __attribute__((vector_size(64)));
#define TE_LANES (64 / sizeof(TE_SCALAR))

// e += L·z, four rows of e and two vectors of images at a time.
static inline __attribute__((always_inline)) void TE_NAME(advance)(
    size_t vectors, size_t rows, size_t channels, const TE_SCALAR *factor,
    const TE_NAME(lanes) *z, TE_NAME(lanes) *e) {
  for (size_t r = 0; r < rows; r += 4) {
    const TE_SCALAR *l = factor + r * channels;
    for (size_t v = 0; v < vectors; v += 2) {
      TE_NAME(lanes) sum[4][2];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) {
        sum[i][0] = e[(r + i) * vectors + v];
        sum[i][1] = e[(r + i) * vectors + v + 1];
      }
      for (size_t c = 0; c < channels; c++) {
        TE_NAME(lanes) z0 = z[c * vectors + v], z1 = z[c * vectors + v + 1];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 4; i++) {
          TE_SCALAR x = l[i * channels + c];
          sum[i][0] += x * z0;
          sum[i][1] += x * z1;
        }
      }
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) {
        e[(r + i) * vectors + v] = sum[i][0];
        e[(r + i) * vectors + v + 1] = sum[i][1];
      }
    }
  }
}

static inline __attribute__((always_inline)) double TE_NAME(total)(const TE_NAME(lanes) *x) {
  double sum = 0;
#pragma clang loop unroll(full)
  for (size_t i = 0; i < TE_LANES; i++) sum += (double)(*x)[i];
  return sum;
}

// Adds Σ w·e·eᵀ in tiles of two rows and four columns.
static inline __attribute__((always_inline)) void TE_NAME(add_products)(
    size_t vectors, size_t rows, const TE_NAME(lanes) *w, const TE_NAME(lanes) *e, double *sums) {
  for (size_t r = 0; r < rows; r += 2) {
    const TE_NAME(lanes) *e0 = e + r * vectors, *e1 = e0 + vectors;
    for (size_t c = 0; c <= r; c += 4) {
      const TE_NAME(lanes) *x = e + c * vectors;
      TE_NAME(lanes) sum[2][4] = {{0}};
      for (size_t v = 0; v < vectors; v++) {
        TE_NAME(lanes) a = w[v] * e0[v], b = w[v] * e1[v];
#pragma clang loop unroll(full)
        for (size_t j = 0; j < 4; j++) {
          TE_NAME(lanes) y = x[j * vectors + v];
          sum[0][j] += a * y;
          sum[1][j] += b * y;
        }
      }
#pragma clang loop unroll(full)
      for (size_t j = 0; j < 4; j++) {
        sums[r * rows + c + j] += TE_NAME(total)(&sum[0][j]);
        sums[(r + 1) * rows + c + j] += TE_NAME(total)(&sum[1][j]);
      }
    }
  }
}

// w·|T·e|², four rows of T and two vectors of images at a time.
static inline __attribute__((always_inline)) void TE_NAME(set_norms)(
    size_t vectors, size_t rows, const TE_SCALAR *transform, const TE_NAME(lanes) *w,
    const TE_NAME(lanes) *e, TE_NAME(lanes) *norms) {
  for (size_t v = 0; v < vectors; v += 2) {
    TE_NAME(lanes) n0 = {0}, n1 = {0};
    for (size_t r = 0; r < rows; r += 4) {
      TE_NAME(lanes) y[4][2] = {{{0}}};
      for (size_t c = 0; c < r + 4; c++) {
        TE_NAME(lanes) x0 = e[c * vectors + v], x1 = e[c * vectors + v + 1];
#pragma clang loop unroll(full)
        for (size_t i = 0; i < 4; i++) {
          TE_SCALAR t = transform[(r + i) * rows + c];
          y[i][0] += t * x0;
          y[i][1] += t * x1;
        }
      }
#pragma clang loop unroll(full)
      for (size_t i = 0; i < 4; i++) {
        n0 += y[i][0] * y[i][0];
        n1 += y[i][1] * y[i][1];
      }
    }
    norms[v] = w[v] * n0;
    norms[v + 1] = w[v + 1] * n1;
  }
}

// Both passes, with the channels known to the compiler where they are few.
static inline __attribute__((always_inline)) void TE_NAME(pass)(
    const te_context_residuals *context, size_t rows, size_t channels,
    const TE_SCALAR *transforms, TE_SCALAR *norms, double *sums) {
  size_t images = context->images, vectors = images / TE_LANES;
  TE_NAME(lanes) *e = context->residuals;
  for (size_t i = 0; i < rows * vectors; i++) e[i] = (TE_NAME(lanes)){0};
  for (size_t a = context->token + 1; a-- > context->first;) {
    size_t place = a - context->first;
    const TE_NAME(lanes) *w =
        (const TE_NAME(lanes) *)((const TE_SCALAR *)context->weights + a * images);
    TE_NAME(advance)(
        vectors, rows, channels, (const TE_SCALAR *)context->factor + place * rows * channels,
        (const TE_NAME(lanes) *)((const TE_SCALAR *)context->whitened + a * channels * images), e);
    if (sums)
      TE_NAME(add_products)(vectors, rows, w, e, sums + place * rows * rows);
    else
      TE_NAME(set_norms)(
          vectors, rows, transforms + place * rows * rows, w, e,
          (TE_NAME(lanes) *)(norms + place * images));
  }
}

static inline __attribute__((always_inline)) void TE_NAME(sized_pass)(
    const te_context_residuals *context, const TE_SCALAR *transforms, TE_SCALAR *norms,
    double *sums) {
  switch (context->channels) {
    case 4: TE_NAME(pass)(context, 4, 4, transforms, norms, sums); return;
    case 8: TE_NAME(pass)(context, 8, 8, transforms, norms, sums); return;
    default:
      TE_NAME(pass)(context, context->rows, context->channels, transforms, norms, sums);
  }
}

TE_CLONES void TE_NAME(te_context_products)(const te_context_residuals *context, double *sums) {
  TE_NAME(sized_pass)(context, 0, 0, sums);
}

TE_CLONES void TE_NAME(te_context_norms)(
    const te_context_residuals *context, const TE_SCALAR *transforms, TE_SCALAR *norms) {
  TE_NAME(sized_pass)(context, transforms, norms, 0);
}

TE_CLONES void TE_NAME(te_context_squares)(
    size_t places, size_t images, const TE_SCALAR *norms, double *sums) {
  size_t vectors = images / TE_LANES;
  for (size_t a = 0; a < places; a++) {
    const TE_NAME(lanes) *x = (const TE_NAME(lanes) *)(norms + a * images);
    TE_NAME(lanes) sum = {0};
    for (size_t v = 0; v < vectors; v++) sum += x[v] * x[v];
    sums[a] += TE_NAME(total)(&sum);
  }
}

void TE_NAME(te_context_runs)(
    size_t places, size_t images, size_t count, const TE_SCALAR *norms,
    const unsigned char *starts, double shift, double *scratch, double *sums) {
  for (size_t a = 0; a < places; a++) {
    for (size_t i = 0; i < count; i++) scratch[i] = (double)norms[a * images + i];
    te_run_sums(count, scratch, starts, shift, sums + 8 * a);
  }
}

void TE_NAME(te_context_columns)(
    size_t count, size_t columns, const TE_SCALAR *rows, size_t stride, size_t images,
    TE_SCALAR *to) {
  // A strip of rows at a time, so that the lines that are read stay in the cache until they are read out.
  for (size_t first = 0; first < images; first += 16) {
    size_t last = first + 16 < images ? first + 16 : images;
    for (size_t c = 0; c < columns; c++)
      for (size_t i = first; i < last; i++)
        to[c * images + i] = i < count ? rows[i * stride + c] : 0;
  }
}

#undef TE_LANES
#undef TE_JOIN2
#undef TE_JOIN
#undef TE_NAME
