/* main.c: `carrack COMMAND …`, and ark's form without a command word. */
#include "kernel/commands.h"
#include "kernel/kernel.h"
#include "kernel/options.h"

static int print_version(void)
{
	puts("carrack " CARRACK_VERSION);
	return EXIT_DONE;
}

/* `--install` among the kernel's options: which R is the only one of them that a kernelspec keeps. */
static int install_as_ark(const struct kernel_options *o)
{
	char r_home[KN_PATH + 16];
	char *words[] = {r_home};
	snprintf(r_home, sizeof r_home, "--r-home=%s", o->r_home ? o->r_home : "");
	return cmd_install(o->r_home ? 1 : 0, words);
}

static int run_kernel(int argc, char **argv)
{
	struct kernel_options o;
	struct err e = {0};
	if (!kernel_options_parse(&o, argc, argv, &e))
		return usage_error("kernel", &e);
	if (o.help)
		return cmd_help("kernel");
	if (o.version)
		return print_version();
	return o.install ? install_as_ark(&o) : cmd_kernel(&o);
}

static int run_help(int argc, char **argv)
{
	return cmd_help(argc ? argv[0] : NULL);
}

static int run_version(int argc, char **argv)
{
	return print_version();
}

static const struct {
	const char *word;
	int (*run)(int argc, char **argv);
} commands[] = {
    {"kernel", run_kernel}, {"install", cmd_install}, {"uninstall", cmd_uninstall},
    {"doctor", cmd_doctor}, {"help", run_help},       {"--help", run_help},
    {"-h", run_help},       {"version", run_version}, {"--version", run_version},
};

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	for (size_t i = 0; word && i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].word, word) == 0)
			return commands[i].run(argc - 2, argv + 2);
	if (word && word[0] == '-')
		return run_kernel(argc - 1, argv + 1);
	if (word)
		fprintf(stderr, "carrack: unknown command '%s'; ", word);
	else
		fprintf(stderr, "carrack: expected a command, ");
	fprintf(stderr, "%skernel, install, uninstall, doctor or help\nSee `carrack --help`.\n",
		word ? "expected " : "");
	return EXIT_USAGE;
}
