#ifndef TOKEN_ENTROPY_NEAREST_H
#define TOKEN_ENTROPY_NEAREST_H

#include <stddef.h>
#include <stdint.h>

/// A micro-kernel of the search for the nearest rows: how wide its panels are, and the search of one tile of points.
///
/// `panels` holds the rows in panels of `width`: each is `(d + 1) × width`, the channels and then -½‖row‖² of `width`
/// rows side by side. For each of at most `te_nearest_points` points (row-major `points × d`) the function finds the
/// row with the largest score x·row - ½‖row‖², which is the nearest; of several equal ones, any.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  size_t width;
  void (*search)(
      size_t points, size_t d, size_t panel_count, const float *rows, const float *panels,
      uint32_t *nearest);
  const char *name;
} te_nearest_kernel;

/// How many points one call searches for at most.
enum { te_nearest_points = 64 };

/// The fastest kernel this processor can run.
te_nearest_kernel te_nearest_kernel_best(void);

/// The kernel in portable C, on every processor.
te_nearest_kernel te_nearest_kernel_portable(void);

#endif
