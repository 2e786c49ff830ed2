/* help.c: the target `positron.help` (docs/comms.md): a client has a place where help is shown.
 *
 * The contract is Positron's (positron/comms/help-backend-openrpc.json and help-frontend-openrpc.json in posit-dev/positron). What is
 * shown are addresses of R's own help server (modules/ui.R), which answers while the session waits.
 */
#include "comms/targets.h"

#include "rapi/exec.h"
#include "rapi/value.h"

static void opened(struct ss_comm *c)
{
	r_call_module("help_opened", 0, NULL);
}

static void forget(void *data)
{
	r_call_module("help_closed", 0, NULL);
}

static void close_help(struct ss_comm *c, const struct ss_comm_message *m)
{
	if (!ss_comm_newest(comm_help.name))
		r_try_exec(forget, NULL);
}

static void show_help_topic(struct ss_comm *c, const json_t *params, struct buf *result)
{
	const json_t *topic = json_object_get(params, "topic");
	if (!json_is_string(topic))
		ss_comm_fail(SS_COMM_BAD_PARAMS, "`topic` must be a string");
	SEXP arg = PROTECT(r_string(json_string_value(topic), json_string_length(topic)));
	bool found = Rf_asLogical(r_call_module("help_show_topic", 1, &arg)) == TRUE;
	UNPROTECT(1);
	buf_puts(result, found ? "true" : "false");
}

static const struct ss_comm_method methods[] = {
    {"show_help_topic", "ShowHelpTopicReply", show_help_topic},
    {0},
};

const struct ss_comm_target comm_help = {
    .name = "positron.help", .opened = opened, .methods = methods, .close = close_help, .again = true};
