/* info.c: what the kernel says of itself (messaging spec, "Kernel info"; JEP 92 features, JEP 134 execution_state). */
#include "kernel/kernel.h"

static const char *const state_names[] = {"idle", "starting", "idle", "idle"};

static const struct {
	const char *text, *url;
} links[] = {
    {"An Introduction to R", "https://cran.r-project.org/doc/manuals/r-release/R-intro.html"},
    {"R Language Definition", "https://cran.r-project.org/doc/manuals/r-release/R-lang.html"},
    {"R Data Import/Export", "https://cran.r-project.org/doc/manuals/r-release/R-data.html"},
    {"Writing R Extensions", "https://cran.r-project.org/doc/manuals/r-release/R-exts.html"},
    {"R Installation and Administration", "https://cran.r-project.org/doc/manuals/r-release/R-admin.html"},
    {"Contributed packages", "https://cran.r-project.org/web/packages/"},
};

static void put_language(struct buf *b, const char *version)
{
	jx_key(b, "language_info");
	buf_putc(b, '{');
	jx_key_string(b, "name", "R");
	jx_key_string(b, "version", version);
	jx_key_string(b, "mimetype", "text/x-r-source");
	jx_key_string(b, "file_extension", ".r");
	jx_key_string(b, "pygments_lexer", "r");
	jx_key_string(b, "codemirror_mode", "r");
	jx_key_string(b, "nbconvert_exporter", "script");
	buf_putc(b, '}');
}

bool info_reply(struct kernel *k, struct request *r, struct buf *b)
{
	const char *version = *k->session.version ? k->session.version : "0";
	char banner[1200];
	if (*k->session.banner)
		snprintf(banner, sizeof banner, "%s", k->session.banner);
	else
		snprintf(banner, sizeof banner, "R %s", version);
	buf_putc(b, '{');
	jx_key_string(b, "status", "ok");
	jx_key_string(b, "protocol_version", JP_PROTOCOL);
	jx_key_string(b, "implementation", "carrack");
	jx_key_string(b, "implementation_version", CARRACK_VERSION);
	put_language(b, version);
	jx_key_string(b, "banner", banner);
	jx_key_bool(b, "debugger", false);
	jx_key(b, "help_links");
	buf_putc(b, '[');
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		buf_puts(b, i ? ",{" : "{");
		jx_key_string(b, "text", links[i].text);
		jx_key_string(b, "url", links[i].url);
		buf_putc(b, '}');
	}
	buf_putc(b, ']');
	jx_key(b, "supported_features");
	buf_puts(b, "[\"iopub_welcome\",\"kernel subshells\"]");
	jx_key_string(b, "execution_state", k->main.running ? "busy" : state_names[k->session.state]);
	buf_putc(b, '}');
	return true;
}
