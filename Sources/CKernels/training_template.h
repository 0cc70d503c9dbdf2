// The loops of a training step, written once; each kernels_*.c includes this file after kernels_template.h, whose
// vectors and macros it uses. Rows may be of any width: what does not fill a vector goes element by element.

#include "training_internal.h"

// MARK: Dropout

// A hash of 32 bits in three rounds: the first key moves the numbers, the second one goes through two rounds, so that
// masks of any two pairs of keys are independent. (The first two multipliers are those of Chris Wellons' search for low
// bias; the upper bits, which decide, need no last shift.)
#define DROPOUT_HASH(x)     \
  do {                      \
    (x) ^= (x) >> 16;       \
    (x) *= 0x7feb352du;     \
    (x) ^= dropout.key2;    \
    (x) ^= (x) >> 15;       \
    (x) *= 0x846ca68bu;     \
    (x) ^= (x) >> 16;       \
    (x) *= 0x9e3779b1u;     \
  } while (0)

INLINE vu NAME(lane_numbers)(void) {
  vu numbers;
#pragma clang loop unroll(full)
  for (int i = 0; i < LANES; i++) numbers[i] = (uint32_t)i;
  return numbers;
}

INLINE vf NAME(drop)(vf x, te_dropout dropout, uint32_t first) {
  vu hash = NAME(lane_numbers)() + (first + dropout.key1);
  DROPOUT_HASH(hash);
  vi kept = hash >= ((vu){0} + dropout.threshold);
  return (vf)((vi)(x * dropout.scale) & kept);
}

INLINE float NAME(drop_one)(float x, te_dropout dropout, uint32_t number) {
  uint32_t hash = number + dropout.key1;
  DROPOUT_HASH(hash);
  return hash >= dropout.threshold ? x * dropout.scale : 0.0f;
}

// MARK: Embeddings

TARGET static void NAME(train_embed)(const float *table, const int64_t *sources, long rows,
                                     long width, te_dropout dropout, uint32_t first, float *out) {
  for (long r = 0; r < rows; r++) {
    const float *from = table + sources[r];
    float *to = out + r * width;
    const uint32_t row = first + (uint32_t)(r * width);
    if (dropout.threshold == 0) {
      memcpy(to, from, (size_t)width * sizeof(float));
      continue;
    }
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      STORE(to + i, NAME(drop)(LOAD(from + i), dropout, row + (uint32_t)i));
    }
    for (; i < width; i++) to[i] = NAME(drop_one)(from[i], dropout, row + (uint32_t)i);
  }
}

TARGET static void NAME(train_embed_backward)(const float *dx, const int64_t *sources, long rows,
                                              long width, te_dropout dropout, uint32_t first,
                                              float *gradient) {
  for (long r = 0; r < rows; r++) {
    const float *from = dx + r * width;
    float *to = gradient + sources[r];
    const uint32_t row = first + (uint32_t)(r * width);
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      STORE(to + i, LOAD(to + i) + NAME(drop)(LOAD(from + i), dropout, row + (uint32_t)i));
    }
    for (; i < width; i++) to[i] += NAME(drop_one)(from[i], dropout, row + (uint32_t)i);
  }
}

// MARK: Residual and norm

INLINE void NAME(residual_norm_rows)(const float *x, const float *y, const int drops, long rows,
                                     long width, te_dropout dropout, uint32_t first,
                                     const float *weight, float epsilon, float *sum, float *normed,
                                     float *scales) {
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * width;
    const float *added = y ? y + r * width : NULL;
    float *to = sum + r * width;
    const uint32_t row = first + (uint32_t)(r * width);
    vf squares = {0};
    float rest = 0;
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf v = LOAD(from + i);
      if (added) {
        vf u = LOAD(added + i);
        v += drops ? NAME(drop)(u, dropout, row + (uint32_t)i) : u;
        STORE(to + i, v);
      }
      squares = FMADD(v, v, squares);
    }
    for (; i < width; i++) {
      float v = from[i];
      if (added) {
        v += drops ? NAME(drop_one)(added[i], dropout, row + (uint32_t)i) : added[i];
        to[i] = v;
      }
      rest += v * v;
    }
    const float scale = 1.0f / sqrtf((NAME(sum)(squares) + rest) / (float)width + epsilon);
    scales[r] = scale;
    const float *v = added ? to : from;
    float *out = normed + r * width;
    for (i = 0; i + LANES <= width; i += LANES) {
      STORE(out + i, LOAD(v + i) * scale * LOAD(weight + i));
    }
    for (; i < width; i++) out[i] = v[i] * scale * weight[i];
  }
}

TARGET static void NAME(train_residual_norm)(const float *x, const float *y, long rows, long width,
                                             te_dropout dropout, uint32_t first,
                                             const float *weight, float epsilon, float *sum,
                                             float *normed, float *scales) {
  if (dropout.threshold != 0) {
    NAME(residual_norm_rows)(x, y, 1, rows, width, dropout, first, weight, epsilon, sum, normed,
                             scales);
  } else {
    NAME(residual_norm_rows)(x, y, 0, rows, width, dropout, first, weight, epsilon, sum, normed,
                             scales);
  }
}

// d sum = scale·(weight ⊙ dnormed − sum·scale²·mean(weight ⊙ dnormed ⊙ sum)).
TARGET static void NAME(train_residual_norm_backward)(
    const float *sum, const float *scales, const float *weight, const float *dnormed, long rows,
    long width, te_dropout dropout, uint32_t first, int accumulate, float *dsum, float *dweight,
    float *dy) {
  for (long r = 0; r < rows; r++) {
    const float *v = sum + r * width, *dn = dnormed + r * width;
    float *d = dsum + r * width, *out = dy ? dy + r * width : NULL;
    const float scale = scales[r];
    const uint32_t row = first + (uint32_t)(r * width);
    vf products = {0};
    float rest = 0;
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf g = LOAD(dn + i) * LOAD(v + i);
      STORE(dweight + i, FMADD(g, SPREAD(scale), LOAD(dweight + i)));
      products = FMADD(g, LOAD(weight + i), products);
    }
    for (; i < width; i++) {
      const float g = dn[i] * v[i];
      dweight[i] += g * scale;
      rest += g * weight[i];
    }
    const float mean = (NAME(sum)(products) + rest) / (float)width * scale * scale * scale;
    for (i = 0; i + LANES <= width; i += LANES) {
      vf g = LOAD(dn + i) * LOAD(weight + i) * scale - LOAD(v + i) * mean;
      if (accumulate) g += LOAD(d + i);
      STORE(d + i, g);
      if (out) STORE(out + i, NAME(drop)(g, dropout, row + (uint32_t)i));
    }
    for (; i < width; i++) {
      float g = dn[i] * weight[i] * scale - v[i] * mean;
      if (accumulate) g += d[i];
      d[i] = g;
      if (out) out[i] = NAME(drop_one)(g, dropout, row + (uint32_t)i);
    }
  }
}

// MARK: Residual and layer norm

TARGET static void NAME(train_residual_layer_norm)(const float *x, const float *y, long rows,
                                                   long width, te_dropout dropout, uint32_t first,
                                                   const float *weight, const float *bias,
                                                   float epsilon, float *sum, float *normed,
                                                   float *moments) {
  const int drops = dropout.threshold != 0;
  for (long r = 0; r < rows; r++) {
    const float *from = x + r * width, *added = y ? y + r * width : NULL;
    float *to = sum + r * width;
    const uint32_t row = first + (uint32_t)(r * width);
    vf sums = {0};
    float rest = 0;
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf v = LOAD(from + i);
      if (added) {
        vf u = LOAD(added + i);
        v += drops ? NAME(drop)(u, dropout, row + (uint32_t)i) : u;
        STORE(to + i, v);
      }
      sums += v;
    }
    for (; i < width; i++) {
      float v = from[i];
      if (added) {
        v += drops ? NAME(drop_one)(added[i], dropout, row + (uint32_t)i) : added[i];
        to[i] = v;
      }
      rest += v;
    }
    const float *v = added ? to : from;
    const float mean = (NAME(sum)(sums) + rest) / (float)width;
    vf squares = {0};
    rest = 0;
    for (i = 0; i + LANES <= width; i += LANES) {
      vf u = LOAD(v + i) - mean;
      squares = FMADD(u, u, squares);
    }
    for (; i < width; i++) rest += (v[i] - mean) * (v[i] - mean);
    const float scale = 1.0f / sqrtf((NAME(sum)(squares) + rest) / (float)width + epsilon);
    moments[2 * r] = mean;
    moments[2 * r + 1] = scale;
    float *out = normed + r * width;
    for (i = 0; i + LANES <= width; i += LANES) {
      STORE(out + i, FMADD((LOAD(v + i) - mean) * scale, LOAD(weight + i), LOAD(bias + i)));
    }
    for (; i < width; i++) out[i] = (v[i] - mean) * scale * weight[i] + bias[i];
  }
}

// With u = (sum − mean)·scale and g = weight ⊙ dnormed: d sum = scale·(g − mean(g) − u·mean(g ⊙ u)).
TARGET static void NAME(train_residual_layer_norm_backward)(
    const float *sum, const float *moments, const float *weight, const float *dnormed, long rows,
    long width, te_dropout dropout, uint32_t first, int accumulate, float *dsum, float *dweight,
    float *dbias, float *dy) {
  for (long r = 0; r < rows; r++) {
    const float *v = sum + r * width, *dn = dnormed + r * width;
    float *d = dsum + r * width, *out = dy ? dy + r * width : NULL;
    const float mean = moments[2 * r], scale = moments[2 * r + 1];
    const uint32_t row = first + (uint32_t)(r * width);
    vf products = {0}, sums = {0};
    float rest_products = 0, rest_sums = 0;
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf u = (LOAD(v + i) - mean) * scale, g = LOAD(dn + i);
      STORE(dweight + i, FMADD(g, u, LOAD(dweight + i)));
      STORE(dbias + i, LOAD(dbias + i) + g);
      g *= LOAD(weight + i);
      products = FMADD(g, u, products);
      sums += g;
    }
    for (; i < width; i++) {
      const float u = (v[i] - mean) * scale, g = dn[i] * weight[i];
      dweight[i] += dn[i] * u;
      dbias[i] += dn[i];
      rest_products += g * u;
      rest_sums += g;
    }
    const float slope = (NAME(sum)(products) + rest_products) / (float)width;
    const float shift = (NAME(sum)(sums) + rest_sums) / (float)width;
    for (i = 0; i + LANES <= width; i += LANES) {
      vf u = (LOAD(v + i) - mean) * scale;
      vf g = (LOAD(dn + i) * LOAD(weight + i) - shift - u * slope) * scale;
      if (accumulate) g += LOAD(d + i);
      STORE(d + i, g);
      if (out) STORE(out + i, NAME(drop)(g, dropout, row + (uint32_t)i));
    }
    for (; i < width; i++) {
      const float u = (v[i] - mean) * scale;
      float g = (dn[i] * weight[i] - shift - u * slope) * scale;
      if (accumulate) g += d[i];
      d[i] = g;
      if (out) out[i] = NAME(drop_one)(g, dropout, row + (uint32_t)i);
    }
  }
}

// MARK: Bias and GELU

TARGET static void NAME(train_add_bias)(float *x, const float *bias, long rows, long width) {
  for (long r = 0; r < rows; r++) NAME(add_bias)(x + r * width, bias, width);
}

TARGET static void NAME(train_add_bias_backward)(const float *dx, long rows, long width,
                                                 float *dbias) {
  for (long r = 0; r < rows; r++) NAME(add)(dbias, dx + r * width, width);
}

TARGET static void NAME(train_gelu)(const float *x, long rows, long width, float *out) {
  for (long r = 0; r < rows; r++, x += width, out += width) {
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf v = LOAD(x + i), density;
      STORE(out + i, v * NAME(normal)(v, &density));
    }
    for (; i < width; i++) out[i] = x[i] * NAME(normal_one)(x[i]);
  }
}

// gelu′(x) = Φ(x) + x·e^(−x²/2)/√(2π).
TARGET static void NAME(train_gelu_backward)(const float *x, long rows, long width,
                                             float *gradient) {
  const float root = 0.3989422804f;
  for (long r = 0; r < rows; r++, x += width, gradient += width) {
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf v = LOAD(x + i), density, share = NAME(normal)(v, &density);
      STORE(gradient + i, LOAD(gradient + i) * (share + v * density * root));
    }
    for (; i < width; i++) {
      gradient[i] *= NAME(normal_one)(x[i]) + x[i] * expf(-0.5f * x[i] * x[i]) * root;
    }
  }
}

// MARK: Gate

TARGET static void NAME(train_gate)(const float *hidden, long rows, long width, float *gated) {
  for (long r = 0; r < rows; r++) {
    const float *a = hidden + 2 * r * width, *b = a + width;
    float *g = gated + r * width;
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf x = LOAD(a + i);
      STORE(g + i, x / (1.0f + NAME(exp)(-x)) * LOAD(b + i));
    }
    for (; i < width; i++) g[i] = a[i] / (1.0f + expf(-a[i])) * b[i];
  }
}

// silu′(a) = σ(a)·(1 + a·(1 − σ(a))).
TARGET static void NAME(train_gate_backward)(float *hidden, long rows, long width, float *gated) {
  for (long r = 0; r < rows; r++) {
    float *a = hidden + 2 * r * width, *b = a + width, *g = gated + r * width;
    long i = 0;
    for (; i + LANES <= width; i += LANES) {
      vf x = LOAD(a + i), y = LOAD(b + i), d = LOAD(g + i);
      vf sigmoid = 1.0f / (1.0f + NAME(exp)(-x)), silu = x * sigmoid;
      STORE(g + i, silu * y);
      STORE(a + i, d * y * (sigmoid + silu * (1.0f - sigmoid)));
      STORE(b + i, d * silu);
    }
    for (; i < width; i++) {
      const float x = a[i], y = b[i], d = g[i];
      const float sigmoid = 1.0f / (1.0f + expf(-x)), silu = x * sigmoid;
      g[i] = silu * y;
      a[i] = d * y * (sigmoid + silu * (1.0f - sigmoid));
      b[i] = d * silu;
    }
  }
}

// MARK: Attention

TARGET static void NAME(train_rotate)(float *qkv, long rows, long width, long head_width,
                                      const float *cosines, const float *sines, float direction) {
  const long pairs = head_width / 2;
  for (long r = 0; r < rows; r++) {
    const float *c = cosines + r * pairs, *s = sines + r * pairs;
    for (long head = 0; head < 2 * width / head_width; head++) {
      float *x = qkv + 3 * r * width + head * head_width;
      for (long i = 0; i < pairs; i++) {
        const float turn = direction * s[i];
        const float even = x[2 * i] * c[i] - x[2 * i + 1] * turn;
        x[2 * i + 1] = x[2 * i + 1] * c[i] + x[2 * i] * turn;
        x[2 * i] = even;
      }
    }
  }
}

TARGET static void NAME(train_attention_weights)(float *scores, long rows, long columns,
                                                 long stride, const int32_t *visible, float scale,
                                                 float *logs) {
  for (long r = 0; r < rows; r++) {
    float *s = scores + r * stride;
    const long seen = visible[r];
    float widest = s[0];
    long i = 0;
    if (seen >= LANES) {
      vf most = LOAD(s);
      for (i = LANES; i + LANES <= seen; i += LANES) {
        vf next = LOAD(s + i);
        most = __builtin_elementwise_max(most, next);
      }
      widest = NAME(widest)(most);
    }
    for (; i < seen; i++) widest = s[i] > widest ? s[i] : widest;
    const float shift = -scale * widest;
    vf totals = {0};
    for (i = 0; i + LANES <= seen; i += LANES) {
      vf e = NAME(exp)(FMADD(LOAD(s + i), SPREAD(scale), SPREAD(shift)));
      STORE(s + i, e);
      totals += e;
    }
    float total = NAME(sum)(totals);
    for (; i < seen; i++) {
      s[i] = expf(s[i] * scale + shift);
      total += s[i];
    }
    const float share = 1.0f / total;
    for (i = 0; i + LANES <= seen; i += LANES) STORE(s + i, LOAD(s + i) * share);
    for (; i < seen; i++) s[i] *= share;
    for (; i < columns; i++) s[i] = 0;
    logs[r] = logf(total) - shift;
  }
}

TARGET static void NAME(train_attention_weights_backward)(
    float *scores, float *dweights, long rows, long columns, long stride, const int32_t *visible,
    float scale, const float *logs, const float *out, const float *dout, long width,
    long out_stride) {
  for (long r = 0; r < rows; r++) {
    float *s = scores + r * stride, *d = dweights + r * stride;
    const float *o = out + r * out_stride, *g = dout + r * out_stride;
    // What the softmax takes off every gradient, Σ weight·dweight, is the product of result and its gradient.
    float common = 0;
    long i = 0;
    vf products = {0};
    for (; i + LANES <= width; i += LANES) products = FMADD(LOAD(o + i), LOAD(g + i), products);
    common = NAME(sum)(products);
    for (; i < width; i++) common += o[i] * g[i];
    const long seen = visible[r];
    const float shift = -logs[r];
    for (i = 0; i + LANES <= seen; i += LANES) {
      vf p = NAME(exp)(FMADD(LOAD(s + i), SPREAD(scale), SPREAD(shift)));
      STORE(s + i, p);
      STORE(d + i, p * (LOAD(d + i) - common) * scale);
    }
    for (; i < seen; i++) {
      s[i] = expf(s[i] * scale + shift);
      d[i] = s[i] * (d[i] - common) * scale;
    }
    for (; i < columns; i++) s[i] = d[i] = 0;
  }
}

// MARK: Loss

TARGET static void NAME(train_cross_entropy)(float *logits, const int32_t *targets, long rows,
                                             long codes, float weight, float *losses) {
  for (long r = 0; r < rows; r++) {
    float *x = logits + r * codes;
    const float target = x[targets[r]];
    float widest = x[0];
    long i = 0;
    if (codes >= LANES) {
      vf most = LOAD(x);
      for (i = LANES; i + LANES <= codes; i += LANES) {
        vf next = LOAD(x + i);
        most = __builtin_elementwise_max(most, next);
      }
      widest = NAME(widest)(most);
    }
    for (; i < codes; i++) widest = x[i] > widest ? x[i] : widest;
    vf totals = {0};
    float rest = 0;
    if (weight == 0) {
      for (i = 0; i + LANES <= codes; i += LANES) totals += NAME(exp)(LOAD(x + i) - widest);
      for (; i < codes; i++) rest += expf(x[i] - widest);
    } else {
      for (i = 0; i + LANES <= codes; i += LANES) {
        vf e = NAME(exp)(LOAD(x + i) - widest);
        STORE(x + i, e);
        totals += e;
      }
      for (; i < codes; i++) {
        x[i] = expf(x[i] - widest);
        rest += x[i];
      }
    }
    const float total = NAME(sum)(totals) + rest;
    losses[r] = logf(total) + widest - target;
    // The largest of a comparison with NaN may be either; the target's own logit or the sum tells.
    if (weight == 0) continue;
    const float share = weight / total;
    for (i = 0; i + LANES <= codes; i += LANES) STORE(x + i, LOAD(x + i) * share);
    for (; i < codes; i++) x[i] *= share;
    x[targets[r]] -= weight;
  }
}

// MARK: Optimizer

TARGET static double NAME(train_collect)(float *sums, float *other, long count, int last) {
  double total = 0;
  // In runs short enough for single precision.
  for (long first = 0; first < count; first += 4096) {
    const long end = first + 4096 < count ? first + 4096 : count;
    vf squares = {0};
    float rest = 0;
    long i = first;
    for (; i + LANES <= end; i += LANES) {
      vf v = LOAD(sums + i);
      if (other) {
        v += LOAD(other + i);
        STORE(sums + i, v);
        STORE(other + i, (vf){0});
      }
      if (last) squares = FMADD(v, v, squares);
    }
    for (; i < end; i++) {
      if (other) {
        sums[i] += other[i];
        other[i] = 0;
      }
      if (last) rest += sums[i] * sums[i];
    }
    total += (double)NAME(sum)(squares) + (double)rest;
  }
  return total;
}

TARGET static void NAME(train_adamw)(const te_adamw_step *step, float *parameters, float *gradient,
                                     float *first, float *second, long count) {
  const te_adamw_step s = *step;
  const float rate = s.rate / s.correction1, root = 1.0f / s.correction2, decay = 1.0f - s.rate * s.decay;
  for (long i = 0; i < count; i++) {
    const float g = gradient[i] * s.gradient_scale;
    const float m = s.beta1 * first[i] + (1.0f - s.beta1) * g;
    const float v = s.beta2 * second[i] + (1.0f - s.beta2) * g * g;
    first[i] = m;
    second[i] = v;
    gradient[i] = 0;
    parameters[i] = parameters[i] * decay - rate * m / (sqrtf(v * root) + s.epsilon);
  }
}

const te_training_kernels NAME(training) = {
    .embed = NAME(train_embed),
    .embed_backward = NAME(train_embed_backward),
    .residual_norm = NAME(train_residual_norm),
    .residual_norm_backward = NAME(train_residual_norm_backward),
    .residual_layer_norm = NAME(train_residual_layer_norm),
    .residual_layer_norm_backward = NAME(train_residual_layer_norm_backward),
    .add_bias = NAME(train_add_bias),
    .add_bias_backward = NAME(train_add_bias_backward),
    .gelu = NAME(train_gelu),
    .gelu_backward = NAME(train_gelu_backward),
    .gate = NAME(train_gate),
    .gate_backward = NAME(train_gate_backward),
    .rotate = NAME(train_rotate),
    .attention_weights = NAME(train_attention_weights),
    .attention_weights_backward = NAME(train_attention_weights_backward),
    .cross_entropy = NAME(train_cross_entropy),
    .collect = NAME(train_collect),
    .adamw = NAME(train_adamw),
};
