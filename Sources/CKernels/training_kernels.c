#include "training_kernels.h"

#include <stddef.h>
#include <string.h>

#include "kernels_internal.h"
#include "training_internal.h"

// The same instruction set as the other kernels.
static const te_training_kernels *chosen(void) {
#if defined(__x86_64__)
  if (te_chosen_kernels == &te_avx512_kernels) return &te_avx512_training;
  if (te_chosen_kernels == &te_avx2_kernels) return &te_avx2_training;
#endif
  return &te_portable_training;
}

void te_train_embed(const float *table, const int64_t *sources, long rows, long width,
                    te_dropout dropout, uint32_t first, float *out) {
  chosen()->embed(table, sources, rows, width, dropout, first, out);
}

void te_train_embed_backward(const float *dx, const int64_t *sources, long rows, long width,
                             te_dropout dropout, uint32_t first, float *gradient) {
  chosen()->embed_backward(dx, sources, rows, width, dropout, first, gradient);
}

void te_train_residual_norm(const float *x, const float *y, long rows, long width,
                            te_dropout dropout, uint32_t first, const float *weight, float epsilon,
                            float *sum, float *normed, float *scales) {
  chosen()->residual_norm(x, y, rows, width, dropout, first, weight, epsilon, sum, normed, scales);
}

void te_train_residual_norm_backward(const float *sum, const float *scales, const float *weight,
                                     const float *dnormed, long rows, long width,
                                     te_dropout dropout, uint32_t first, int accumulate,
                                     float *dsum, float *dweight, float *dy) {
  chosen()->residual_norm_backward(sum, scales, weight, dnormed, rows, width, dropout, first,
                                   accumulate, dsum, dweight, dy);
}

void te_train_residual_layer_norm(const float *x, const float *y, long rows, long width,
                                  te_dropout dropout, uint32_t first, const float *weight,
                                  const float *bias, float epsilon, float *sum, float *normed,
                                  float *moments) {
  chosen()->residual_layer_norm(x, y, rows, width, dropout, first, weight, bias, epsilon, sum,
                                normed, moments);
}

void te_train_residual_layer_norm_backward(const float *sum, const float *moments,
                                           const float *weight, const float *dnormed, long rows,
                                           long width, te_dropout dropout, uint32_t first,
                                           int accumulate, float *dsum, float *dweight,
                                           float *dbias, float *dy) {
  chosen()->residual_layer_norm_backward(sum, moments, weight, dnormed, rows, width, dropout, first,
                                         accumulate, dsum, dweight, dbias, dy);
}

void te_train_add_bias(float *x, const float *bias, long rows, long width) {
  chosen()->add_bias(x, bias, rows, width);
}

void te_train_add_bias_backward(const float *dx, long rows, long width, float *dbias) {
  chosen()->add_bias_backward(dx, rows, width, dbias);
}

void te_train_gelu(const float *x, long rows, long width, float *out) {
  chosen()->gelu(x, rows, width, out);
}

void te_train_gelu_backward(const float *x, long rows, long width, float *gradient) {
  chosen()->gelu_backward(x, rows, width, gradient);
}

void te_train_gate(const float *hidden, long rows, long width, float *gated) {
  chosen()->gate(hidden, rows, width, gated);
}

void te_train_gate_backward(float *hidden, long rows, long width, float *gated) {
  chosen()->gate_backward(hidden, rows, width, gated);
}

void te_train_rotate(float *qkv, long rows, long width, long head_width, const float *cosines,
                     const float *sines, float direction) {
  chosen()->rotate(qkv, rows, width, head_width, cosines, sines, direction);
}

void te_train_attention_weights(float *scores, long rows, long columns, long stride,
                                const int32_t *visible, float scale, float *logs) {
  chosen()->attention_weights(scores, rows, columns, stride, visible, scale, logs);
}

void te_train_attention_weights_backward(float *scores, float *dweights, long rows, long columns,
                                         long stride, const int32_t *visible, float scale,
                                         const float *logs, const float *out, const float *dout,
                                         long width, long out_stride) {
  chosen()->attention_weights_backward(scores, dweights, rows, columns, stride, visible, scale,
                                       logs, out, dout, width, out_stride);
}

void te_train_cross_entropy(float *logits, const int32_t *targets, long rows, long codes,
                            float weight, float *losses) {
  chosen()->cross_entropy(logits, targets, rows, codes, weight, losses);
}

double te_train_collect(float *sums, float *other, long count, int last) {
  return chosen()->collect(sums, other, count, last);
}

void te_train_adamw(const te_adamw_step *step, float *parameters, float *gradient, float *first,
                    float *second, long count) {
  chosen()->adamw(step, parameters, gradient, first, second, count);
}
