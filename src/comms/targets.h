/* targets.h: the targets, one file each. */
#ifndef CARRACK_COMMS_TARGETS_H
#define CARRACK_COMMS_TARGETS_H

#include "session/comm.h"

extern const struct ss_comm_target comm_variables; /* variables.c */
extern const struct ss_comm_target comm_ui;        /* ui.c */
extern const struct ss_comm_target comm_help;      /* help.c */
extern const struct ss_comm_target comm_plot;      /* plot.c */

#endif
