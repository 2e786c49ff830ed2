/* targets.c: the targets in C. */
#include "session/comm.h"

const struct ss_comm_target *const comm_targets[] = {
    NULL,
};
