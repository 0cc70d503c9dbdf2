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
