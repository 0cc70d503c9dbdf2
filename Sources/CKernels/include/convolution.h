#ifndef TOKEN_ENTROPY_CONVOLUTION_H
#define TOKEN_ENTROPY_CONVOLUTION_H

// Convolutions of one image, channels last: pixel (y, x) of an image of `width` pixels and `channels` channels is the
// run of `channels` floats at (y·width + x)·channels.
//
// Products run over a panel of outputs that is one register tile wide, so weights are packed once. A convolution is
// cut into pieces that threads take in any order; each thread has its own scratch.

// A 3×3 convolution with one pixel of zeros around the image, of stride 1; height × width is that of the output.
typedef struct {
  // The input: height × width × channels, or half of both sides where `upsample` is set.
  const float *input;
  // What to do with each channel first, x·scale + shift followed by swish; NULL to take the input as it is.
  const float *scale, *shift;
  // From te_winograd_pack.
  const float *weights;
  // One for each output.
  const float *bias;
  // height × width × outputs to be added to the result, or NULL.
  const float *residual;
  float *output;
  long height, width, channels, outputs;
  // Whether each input pixel counts as 2 × 2 equal ones.
  int upsample;
  // The number of 4×4 tiles of the output that one piece computes.
  long piece_tiles;
} te_winograd_job;

// Whether te_winograd_run can take an input with this many channels.
int te_winograd_supports(long channels);
// How many floats the packed weights take.
long te_winograd_weight_floats(long channels, long outputs);
// Transforms and packs weights, outputs × channels × 3 × 3, in double precision.
void te_winograd_pack(const float *weights, long channels, long outputs, float *packed);
// A good size of a piece for this many threads.
long te_winograd_piece_tiles(long height, long width, int workers);
long te_winograd_pieces(const te_winograd_job *job);
long te_winograd_scratch_floats(const te_winograd_job *job);
void te_winograd_run(const te_winograd_job *job, long piece, float *scratch);

// A convolution by products with patches: of `kernel` × `kernel` pixels, the output pixel (y, x) centred on or
// starting at the input pixel (y·stride − before, x·stride − before); pixels outside are zero.
typedef struct {
  // in_height × in_width × channels, followed by TE_ROW_SLACK further pixels that may be read.
  const float *input;
  // From te_patch_pack.
  const float *weights;
  // One for each output.
  const float *bias;
  // out_height × out_width × outputs to be added to the result, or NULL.
  const float *residual;
  float *output;
  long in_height, in_width, channels, out_height, out_width, outputs;
  long kernel, stride, before;
} te_patch_job;

// The most rows a register tile has: so many pixels behind an input's end may be read, and are not used.
enum { TE_ROW_SLACK = 16 };

long te_patch_weight_floats(long channels, long kernel, long outputs);
// Packs weights, outputs × channels × kernel × kernel.
void te_patch_pack(const float *weights, long channels, long kernel, long outputs, float *packed);
long te_patch_pieces(const te_patch_job *job);
long te_patch_scratch_floats(const te_patch_job *job);
void te_patch_run(const te_patch_job *job, long piece, float *scratch);

// out = x·scale + shift for each channel.
void te_channel_affine(const float *x, long pixels, long channels, const float *scale,
                       const float *shift, float *out);

// Adds to sums[c] and squares[c] those of the differences from `centre` over the pixels of channel c.
void te_channel_moments(const float *x, long pixels, long channels, const float *centre,
                        double *sums, double *squares);

// The instruction set in use, such as "avx2".
const char *te_convolution_kernel_name(void);

#endif
