// Gates, sums, normalisations and softmax of single rows. Included by kernels_template.h.

TARGET static void NAME(gate)(float *a, const float *b, long count) {
  long i = 0;
  for (; i + LANES <= count; i += LANES) {
    vf x = LOAD(a + i);
    STORE(a + i, x / (1.0f + NAME(exp)(-x)) * LOAD(b + i));
  }
  for (; i < count; i++) a[i] = a[i] / (1.0f + expf(-a[i])) * b[i];
}

TARGET static void NAME(add)(float *a, const float *b, long count) {
  for (long i = 0; i < count; i++) a[i] += b[i];
}

TARGET static void NAME(rms_norm)(const float *x, const float *weight, long width, float epsilon,
                                  float *out) {
  vf squares[4] = {{0}, {0}, {0}, {0}};
  long i = 0;
  for (; i + 4 * LANES <= width; i += 4 * LANES) {
    for (int j = 0; j < 4; j++) {
      vf v = LOAD(x + i + j * LANES);
      squares[j] = FMADD(v, v, squares[j]);
    }
  }
  float total = NAME(sum)((squares[0] + squares[1]) + (squares[2] + squares[3]));
  for (; i < width; i++) total += x[i] * x[i];
  float scale = 1.0f / sqrtf(total / (float)width + epsilon);
  for (i = 0; i < width; i++) out[i] = x[i] * scale * weight[i];
}

// out = (x − mean) / √(variance + ε) ⊙ weight + bias; out may be x.
TARGET static void NAME(layer_norm)(const float *x, const float *weight, const float *bias,
                                    long width, float epsilon, float *out) {
  vf sums = {0};
  float rest = 0;
  long i = 0;
  for (; i + LANES <= width; i += LANES) sums += LOAD(x + i);
  for (; i < width; i++) rest += x[i];
  const float mean = (NAME(sum)(sums) + rest) / (float)width;
  vf squares = {0};
  rest = 0;
  for (i = 0; i + LANES <= width; i += LANES) {
    vf v = LOAD(x + i) - mean;
    squares = FMADD(v, v, squares);
  }
  for (; i < width; i++) rest += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0f / sqrtf((NAME(sum)(squares) + rest) / (float)width + epsilon);
  for (i = 0; i < width; i++) out[i] = (x[i] - mean) * scale * weight[i] + bias[i];
}

// The normal distribution function Φ(x) = (1 + erf(x/√2))/2, to 10⁻⁷ (Abramowitz and Stegun, 7.1.26); `density` gets
// √(2π) times its derivative.
INLINE vf NAME(normal)(vf x, vf *density) {
  vi negative = x < 0.0f;
  vf h = __builtin_elementwise_max(x, -x) * 0.70710678f;
  vf t = 1.0f / (1.0f + 0.3275911f * h);
  vf p = SPREAD(1.061405429f);
  p = FMADD(p, t, SPREAD(-1.453152027f));
  p = FMADD(p, t, SPREAD(1.421413741f));
  p = FMADD(p, t, SPREAD(-0.284496736f));
  p = FMADD(p, t, SPREAD(0.254829592f));
  *density = NAME(exp)(-h * h);
  vf tail = 0.5f * p * t * *density;
  return (vf)(((vi)tail & negative) | ((vi)(1.0f - tail) & ~negative));
}

INLINE float NAME(normal_one)(float x) { return 0.5f * (1.0f + erff(x * 0.70710678f)); }

// x += bias.
TARGET static void NAME(add_bias)(float *x, const float *bias, long width) {
  for (long i = 0; i < width; i++) x[i] += bias[i];
}

// x = gelu(x + bias) with gelu(x) = x·Φ(x).
TARGET static void NAME(bias_gelu)(float *x, const float *bias, long width) {
  long i = 0;
  for (; i + LANES <= width; i += LANES) {
    vf v = LOAD(x + i) + LOAD(bias + i), density;
    STORE(x + i, v * NAME(normal)(v, &density));
  }
  for (; i < width; i++) {
    const float v = x[i] + bias[i];
    x[i] = v * NAME(normal_one)(v);
  }
}

INLINE float NAME(exponentials)(float *values, long count) {
  float widest = values[0];
  long i = 0;
  if (count >= LANES) {
    vf v = LOAD(values);
    for (i = LANES; i + LANES <= count; i += LANES) {
      vf next = LOAD(values + i);
      v = __builtin_elementwise_max(v, next);
    }
    widest = NAME(widest)(v);
  }
  for (; i < count; i++) widest = values[i] > widest ? values[i] : widest;
  vf totals = {0};
  for (i = 0; i + LANES <= count; i += LANES) {
    vf e = NAME(exp)(LOAD(values + i) - widest);
    STORE(values + i, e);
    totals += e;
  }
  float total = NAME(sum)(totals);
  for (; i < count; i++) {
    values[i] = expf(values[i] - widest);
    total += values[i];
  }
  return total;
}

TARGET static void NAME(softmax)(float *values, long count) {
  float scale = 1.0f / NAME(exponentials)(values, count);
  for (long i = 0; i < count; i++) values[i] *= scale;
}
