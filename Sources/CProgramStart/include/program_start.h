#ifndef TE_PROGRAM_START_H
#define TE_PROGRAM_START_H

/* Before any library of a program is initialised, its limits are compared with what those libraries take at least: see
   program_start.c. Linking the module does it; there is nothing to call. */

#endif
