// The passes over pairs of tokens for one type of number and one instruction set; see pair_residuals.c. Lanes are images,
// so that nothing is shuffled; short runs of images are summed in the type itself, and those sums in double precision.

typedef NUMBER NAME(vector) __attribute__((vector_size(LANES * sizeof(NUMBER)), aligned(sizeof(NUMBER))));

typedef NUMBER NAME(four) __attribute__((vector_size(4 * sizeof(NUMBER)), aligned(sizeof(NUMBER))));

enum {
  NAME(parts) = te_pair_group / LANES,
  // Groups whose products are summed in the type itself.
  NAME(run) = 512 / te_pair_group,
};

// Four lanes at a time are widened from memory; converting one after the other takes longer than the products.
INLINE double NAME(total)(NAME(vector) values) {
#if LANES % 4 == 0
  NUMBER stored[LANES] __attribute__((aligned(64)));
  *(NAME(vector) *)stored = values;
  te_four_doubles sums = {0};
  for (int lane = 0; lane < LANES; lane += 4)
    sums += __builtin_convertvector(*(const NAME(four) *)(stored + lane), te_four_doubles);
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
#else
  double sum = 0;
  for (int lane = 0; lane < LANES; lane++) sum += values[lane];
  return sum;
#endif
}

// Tiles of te_pair_rows × te_pair_rows products stay in registers.
INLINE void NAME(products_inline)(size_t groups, size_t channels, size_t target_width, size_t width,
                                  const NUMBER *target, const NUMBER *reference,
                                  double *products) {
  for (size_t i = 0; i < channels * width; i++) products[i] = 0;
  for (size_t first = 0; first < groups; first += NAME(run)) {
    size_t last = first + NAME(run) < groups ? first + NAME(run) : groups;
    for (size_t a = 0; a < channels; a += te_pair_rows)
      for (size_t b = 0; b < width; b += te_pair_rows) {
        NAME(vector) sums[te_pair_rows][te_pair_rows] = {{{0}}};
        // Beyond the last coordinate the last one is read again, and its products are not kept.
        const NUMBER *left[te_pair_rows], *right[te_pair_rows];
        for (size_t k = 0; k < te_pair_rows; k++) {
          size_t row = a + k < channels ? a + k : channels - 1;
          size_t column = b + k < width ? b + k : width - 1;
          left[k] = target + row * te_pair_group;
          right[k] = reference + column * te_pair_group;
        }
        for (size_t g = first; g < last; g++)
          for (size_t part = 0; part < NAME(parts); part++) {
            size_t x = g * target_width * te_pair_group + part * LANES;
            size_t y = g * width * te_pair_group + part * LANES;
            NAME(vector) columns[te_pair_rows];
            for (int k = 0; k < te_pair_rows; k++)
              columns[k] = *(const NAME(vector) *)(right[k] + y);
            for (int r = 0; r < te_pair_rows; r++) {
              NAME(vector) row = *(const NAME(vector) *)(left[r] + x);
              for (int k = 0; k < te_pair_rows; k++) sums[r][k] += row * columns[k];
            }
          }
        for (size_t r = 0; r < te_pair_rows && a + r < channels; r++)
          for (size_t k = 0; k < te_pair_rows && b + k < width; k++)
            products[(a + r) * width + b + k] += NAME(total)(sums[r][k]);
      }
  }
}

TARGET static void NAME(products)(size_t groups, size_t channels, size_t target_width, size_t width,
                                  const NUMBER *target, const NUMBER *reference,
                                  double *products) {
  if (channels == 8 && target_width == 8 && width == 8)
    NAME(products_inline)(groups, 8, 8, 8, target, reference, products);
  else
    NAME(products_inline)(groups, channels, target_width, width, target, reference, products);
}

INLINE void NAME(residuals_inline)(size_t first, size_t last, size_t channels, size_t target_width,
                                   size_t width, const NUMBER *target, const NUMBER *reference,
                                   const NUMBER *coefficients, NUMBER *residuals) {
  size_t rows = (channels + te_pair_rows - 1) / te_pair_rows * te_pair_rows;
  for (size_t g = first; g < last; g++)
    for (size_t part = 0; part < NAME(parts); part++) {
      const NUMBER *x = target + g * target_width * te_pair_group + part * LANES;
      const NUMBER *y = reference + g * width * te_pair_group + part * LANES;
      NUMBER *out = residuals + g * rows * te_pair_group + part * LANES;
      for (size_t a = 0; a < rows; a += te_pair_rows) {
        NAME(vector) rest[te_pair_rows] = {{0}};
        for (size_t r = 0; r < te_pair_rows && a + r < channels; r++)
          rest[r] = *(const NAME(vector) *)(x + (a + r) * te_pair_group);
        for (size_t b = 0; b < width; b++) {
          NAME(vector) known = *(const NAME(vector) *)(y + b * te_pair_group);
          for (int r = 0; r < te_pair_rows; r++)
            rest[r] -= coefficients[(a + (size_t)r) * width + b] * known;
        }
        for (int r = 0; r < te_pair_rows; r++)
          *(NAME(vector) *)(out + (a + (size_t)r) * te_pair_group) = rest[r];
      }
    }
}

// Adds the products of the groups `first ..< last`, few enough to be summed in the type itself.
INLINE void NAME(scatter_inline)(size_t first, size_t last, size_t channels,
                                 const NUMBER *residuals, const NUMBER *weights,
                                 double *scatter) {
  size_t rows = (channels + te_pair_rows - 1) / te_pair_rows * te_pair_rows;
  for (size_t a = 0; a < rows; a += te_pair_rows)
    for (size_t b = 0; b <= a; b += te_pair_rows) {
      NAME(vector) sums[te_pair_rows][te_pair_rows] = {{{0}}};
      for (size_t g = first; g < last; g++)
        for (size_t part = 0; part < NAME(parts); part++) {
          const NUMBER *x = residuals + g * rows * te_pair_group + part * LANES;
          NAME(vector) weight =
              *(const NAME(vector) *)(weights + g * te_pair_group + part * LANES);
          NAME(vector) columns[te_pair_rows];
          for (int k = 0; k < te_pair_rows; k++)
            columns[k] = *(const NAME(vector) *)(x + (b + (size_t)k) * te_pair_group);
          for (int r = 0; r < te_pair_rows; r++) {
            NAME(vector) row =
                weight * *(const NAME(vector) *)(x + (a + (size_t)r) * te_pair_group);
            for (int k = 0; k < te_pair_rows; k++) sums[r][k] += row * columns[k];
          }
        }
      for (size_t r = 0; r < te_pair_rows && a + r < channels; r++)
        for (size_t k = 0; k < te_pair_rows && b + k <= a + r; k++)
          scatter[(a + r) * channels + b + k] += NAME(total)(sums[r][k]);
    }
}

TARGET static void NAME(scatter)(size_t groups, size_t channels, const NUMBER *residuals,
                                 const NUMBER *weights, double *scatter) {
  for (size_t i = 0; i < channels * channels; i++) scatter[i] = 0;
  for (size_t first = 0; first < groups; first += NAME(run)) {
    size_t last = first + NAME(run) < groups ? first + NAME(run) : groups;
    NAME(scatter_inline)(first, last, channels, residuals, weights, scatter);
  }
}

// Residuals are multiplied while they are in the first-level cache.
INLINE void NAME(residuals_and_scatter)(size_t groups, size_t channels, size_t target_width,
                                        size_t width, const NUMBER *target,
                                        const NUMBER *reference, const NUMBER *coefficients,
                                        const NUMBER *weights, NUMBER *residuals,
                                        double *scatter) {
  for (size_t i = 0; i < channels * channels; i++) scatter[i] = 0;
  for (size_t first = 0; first < groups; first += NAME(run)) {
    size_t last = first + NAME(run) < groups ? first + NAME(run) : groups;
    NAME(residuals_inline)(
        first, last, channels, target_width, width, target, reference, coefficients, residuals);
    NAME(scatter_inline)(first, last, channels, residuals, weights, scatter);
  }
}

TARGET static void NAME(residuals)(size_t groups, size_t channels, size_t target_width,
                                   size_t width, const NUMBER *target, const NUMBER *reference,
                                   const NUMBER *coefficients, const NUMBER *weights,
                                   NUMBER *residuals, double *scatter) {
  if (channels == 8 && target_width == 8 && width == 8)
    NAME(residuals_and_scatter)(
        groups, 8, 8, 8, target, reference, coefficients, weights, residuals, scatter);
  else
    NAME(residuals_and_scatter)(
        groups, channels, target_width, width, target, reference, coefficients, weights, residuals,
        scatter);
}

INLINE void NAME(contributions_inline)(size_t groups, size_t channels, const NUMBER *residuals,
                                       const NUMBER *weights, const NUMBER *transform,
                                       NUMBER scale, NUMBER *contributions) {
  size_t rows = (channels + te_pair_rows - 1) / te_pair_rows * te_pair_rows;
  for (size_t g = 0; g < groups; g++)
    for (size_t part = 0; part < NAME(parts); part++) {
      const NUMBER *x = residuals + g * rows * te_pair_group + part * LANES;
      size_t place = g * te_pair_group + part * LANES;
      NAME(vector) squares = {0};
      for (size_t a = 0; a < channels; a++) {
        NAME(vector) value = {0};
        for (size_t b = 0; b <= a; b++)
          value += transform[a * channels + b] * *(const NAME(vector) *)(x + b * te_pair_group);
        squares += value * value;
      }
      *(NAME(vector) *)(contributions + place) =
          scale * *(const NAME(vector) *)(weights + place) * squares;
    }
}

TARGET static void NAME(contributions)(size_t groups, size_t channels, const NUMBER *residuals,
                                       const NUMBER *weights, const NUMBER *transform,
                                       NUMBER scale, NUMBER *contributions) {
  if (channels == 8)
    NAME(contributions_inline)(groups, 8, residuals, weights, transform, scale, contributions);
  else
    NAME(contributions_inline)(
        groups, channels, residuals, weights, transform, scale, contributions);
}

#undef NAME
#undef TARGET
#undef INLINE
#undef LANES
#undef NUMBER
