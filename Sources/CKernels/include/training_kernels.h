#ifndef TOKEN_ENTROPY_TRAINING_KERNELS_H
#define TOKEN_ENTROPY_TRAINING_KERNELS_H

#include <stdint.h>

// The parts of a transformer's training step between its matrix products: each forward loop with its backward one.
// None of them starts threads: callers run them on rows of their own.

// Which elements are dropped: element i of a place is kept where a hash of i and the keys is at least `threshold`, a
// share of 2³², and then multiplied by `scale`. The mask is computed anew wherever it is needed and stored nowhere.
typedef struct {
  uint32_t key1, key2, threshold;
  float scale;
} te_dropout;

// out[r] = drop(table[sources[r] …]), rows of `width` floats; `first` is the number of the first element.
void te_train_embed(const float *table, const int64_t *sources, long rows, long width,
                    te_dropout dropout, uint32_t first, float *out);
// gradient[sources[r] …] += drop(dx[r]).
void te_train_embed_backward(const float *dx, const int64_t *sources, long rows, long width,
                             te_dropout dropout, uint32_t first, float *gradient);

// sum = x + drop(y); normed = sum · scale ⊙ weight with scale = 1/√(mean(sum²) + epsilon), one for each row.
// Without y (NULL) sum is x and is not written.
void te_train_residual_norm(const float *x, const float *y, long rows, long width,
                            te_dropout dropout, uint32_t first, const float *weight, float epsilon,
                            float *sum, float *normed, float *scales);
// From the gradient of `normed`: adds that of `sum` to dsum (or sets it, unless `accumulate`), that of the weight to
// dweight, and writes the gradient of y, drop(dsum), to dy unless it is NULL.
void te_train_residual_norm_backward(const float *sum, const float *scales, const float *weight,
                                     const float *dnormed, long rows, long width,
                                     te_dropout dropout, uint32_t first, int accumulate,
                                     float *dsum, float *dweight, float *dy);

// The same with the whole layer norm: sum = x + drop(y); normed = (sum − mean)·scale ⊙ weight + bias. `moments` gets mean
// and scale of every row.
void te_train_residual_layer_norm(const float *x, const float *y, long rows, long width,
                                  te_dropout dropout, uint32_t first, const float *weight,
                                  const float *bias, float epsilon, float *sum, float *normed,
                                  float *moments);
void te_train_residual_layer_norm_backward(const float *sum, const float *moments,
                                           const float *weight, const float *dnormed, long rows,
                                           long width, te_dropout dropout, uint32_t first,
                                           int accumulate, float *dsum, float *dweight,
                                           float *dbias, float *dy);

// x[r] += bias, and from the gradient dx of x: dbias += Σ dx[r].
void te_train_add_bias(float *x, const float *bias, long rows, long width);
void te_train_add_bias_backward(const float *dx, long rows, long width, float *dbias);

// out = gelu(x) = x·Φ(x); and in place of the gradient of out that of x.
void te_train_gelu(const float *x, long rows, long width, float *out);
void te_train_gelu_backward(const float *x, long rows, long width, float *gradient);

// Rows of `hidden` hold a and b, `width` floats each: gated = silu(a) ⊙ b.
void te_train_gate(const float *hidden, long rows, long width, float *gated);
// From the gradient of `gated`, in its place: gated again; and in place of a and b their gradients.
void te_train_gate_backward(float *hidden, long rows, long width, float *gated);

// Turns the pairs (2i, 2i + 1) of each head of the first two thirds of every row (queries and keys), by the angle of
// the row's position, forwards (direction 1) or back (−1).
void te_train_rotate(float *qkv, long rows, long width, long head_width, const float *cosines,
                     const float *sines, float direction);

// Turns each row of scores into weights of its first `visible` columns, softmax(scale · score), zero in the others, and
// keeps the logarithm of the sum.
void te_train_attention_weights(float *scores, long rows, long columns, long stride,
                                const int32_t *visible, float scale, float *logs);
// From scores, the logarithms of their sums and the gradient of the weights: weights in place of scores, and the
// gradient of the scores in place of that of the weights. `out` and `dout` are rows of `width` floats of the layer's
// result and of its gradient, `out_stride` apart.
void te_train_attention_weights_backward(float *scores, float *dweights, long rows, long columns,
                                         long stride, const int32_t *visible, float scale,
                                         const float *logs, const float *out, const float *dout,
                                         long width, long out_stride);

// The negative log-probability of each row's target under softmax(logits), and in place of the logits their gradient
// for the losses times `weight`; a weight of 0 leaves the logits as they are.
void te_train_cross_entropy(float *logits, const int32_t *targets, long rows, long codes,
                            float weight, float *losses);

// sums[i] += other[i]; returns Σ sums². `other` may be NULL; it is set to zero.
double te_train_collect(float *sums, float *other, long count, int last);

// One step of AdamW with gradients times `gradient_scale`; gradients are set to zero afterwards.
typedef struct {
  float beta1, beta2, epsilon, rate, decay, correction1, correction2, gradient_scale;
} te_adamw_step;
void te_train_adamw(const te_adamw_step *step, float *parameters, float *gradient, float *first,
                    float *second, long count);

#endif
