#ifndef TOKEN_ENTROPY_WORKER_TEAM_H
#define TOKEN_ENTROPY_WORKER_TEAM_H

#include <stddef.h>

// A fixed team of threads that run one body together, again and again, with little cost in between.
//
// A forward pass is some hundred short parallel loops. Between two of them the threads spin, so that a loop starts
// within a microsecond; after a while without work they sleep.
typedef struct te_team te_team;

// A body to run: `worker` counts from 0 to one less than the team's size.
typedef void (*te_team_body)(void *context, int worker);

// Makes a team of `workers` threads, the calling thread included; NULL when the system refuses a thread.
te_team *te_team_create(int workers);

// Ends the team's threads. Nobody may be running anything.
void te_team_destroy(te_team *team);

// The number of workers, the calling thread included.
int te_team_workers(const te_team *team);

// Runs `body` once for every worker and returns when all are done. The caller is worker 0.
// Only one thread at a time may call this; a body must not call it.
void te_team_run(te_team *team, te_team_body body, void *context);

// The next piece of a loop of `count` pieces that the workers share, or -1 when none is left.
// Every worker first takes the pieces of its own contiguous share, then those that others have not reached.
// `cursors` holds one counter per worker, set by te_pieces_start.
typedef struct {
  _Alignas(64) _Atomic long next;
  long end;
} te_cursor;

void te_pieces_start(te_cursor *cursors, int workers, long count);
long te_pieces_next(te_cursor *cursors, int workers, int worker);

#endif
