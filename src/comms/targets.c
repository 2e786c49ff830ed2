/* targets.c: the targets in C. */
#include "comms/targets.h"

const struct ss_comm_target *const comm_targets[] = {
    &comm_variables, &comm_ui, &comm_help, &comm_plot, NULL,
};
