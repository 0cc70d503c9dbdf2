#ifndef TOKEN_ENTROPY_TRAINING_INTERNAL_H
#define TOKEN_ENTROPY_TRAINING_INTERNAL_H

#include "training_kernels.h"

// One instruction set's version of the training loops; see training_template.h.
typedef struct {
  void (*embed)(const float *, const int64_t *, long, long, te_dropout, uint32_t, float *);
  void (*embed_backward)(const float *, const int64_t *, long, long, te_dropout, uint32_t, float *);
  void (*residual_norm)(const float *, const float *, long, long, te_dropout, uint32_t,
                        const float *, float, float *, float *, float *);
  void (*residual_norm_backward)(const float *, const float *, const float *, const float *, long,
                                 long, te_dropout, uint32_t, int, float *, float *, float *);
  void (*residual_layer_norm)(const float *, const float *, long, long, te_dropout, uint32_t,
                              const float *, const float *, float, float *, float *, float *);
  void (*residual_layer_norm_backward)(const float *, const float *, const float *, const float *,
                                       long, long, te_dropout, uint32_t, int, float *, float *,
                                       float *, float *);
  void (*add_bias)(float *, const float *, long, long);
  void (*add_bias_backward)(const float *, long, long, float *);
  void (*gelu)(const float *, long, long, float *);
  void (*gelu_backward)(const float *, long, long, float *);
  void (*gate)(const float *, long, long, float *);
  void (*gate_backward)(float *, long, long, float *);
  void (*rotate)(float *, long, long, long, const float *, const float *, float);
  void (*attention_weights)(float *, long, long, long, const int32_t *, float, float *);
  void (*attention_weights_backward)(float *, float *, long, long, long, const int32_t *, float,
                                     const float *, const float *, const float *, long, long);
  void (*cross_entropy)(float *, const int32_t *, long, long, float, float *);
  double (*collect)(float *, float *, long, int);
  void (*adamw)(const te_adamw_step *, float *, float *, float *, float *, long);
} te_training_kernels;

extern const te_training_kernels te_portable_training;
#if defined(__x86_64__)
extern const te_training_kernels te_avx2_training, te_avx512_training;
#endif

#endif
