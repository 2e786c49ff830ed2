#include "kernel/commands.h"

static const char main_page[] = "Carrack, an R kernel for Jupyter\n"
				"\n"
				"  carrack COMMAND [options]\n"
				"\n"
				"Commands\n"
				"  install      make the kernel known to Jupyter (writes a kernelspec)\n"
				"  uninstall    take that back\n"
				"  doctor       check R, the session and the kernelspecs, and say what to do\n"
				"  kernel       run the kernel; Jupyter does this\n"
				"  help         this page, or `carrack help COMMAND`\n"
				"\n"
				"To begin\n"
				"  carrack install\n"
				"  jupyter lab                         and choose `R (Carrack)`\n"
				"  jupyter console --kernel carrack    in a terminal\n"
				"\n"
				"Which R\n"
				"  The first of: --r-home DIR, the variable R_HOME, R in an active conda\n"
				"  environment, `R` on PATH, the usual places. It must be R 4.2.0 or later\n"
				"  with a shared library, as the usual packages of R have.\n"
				"\n"
				"Variables\n"
				"  R_HOME              R's home directory\n"
				"  CARRACK_LOG         error, warn, info or debug: what goes to the log\n"
				"  CARRACK_SESSION     another session program\n"
				"  JUPYTER_DATA_DIR    where `install --user` writes\n"
				"  JUPYTER_PATH        where Jupyter, `uninstall` and `doctor` look as well\n"
				"\n"
				"  carrack --version   print the version\n"
				"\n"
				"Without a command word the options of ark are understood:\n"
				"  carrack --connection_file FILE [options]     see `carrack help kernel`\n";

static const char kernel_page[] = "Run the kernel. Jupyter does this, with a connection file it has written.\n"
				  "\n"
				  "  carrack kernel [options] CONNECTION_FILE [-- R arguments]\n"
				  "  carrack --connection_file FILE [options] [-- R arguments]     as ark\n"
				  "\n"
				  "CONNECTION_FILE is Jupyter's connection file or a registration file (JEP 66).\n"
				  "\n"
				  "Options (`--name value` or `--name=value`)\n"
				  "  --session-mode console|notebook|background\n"
				  "                           how values are shown; console if not given, the\n"
				  "                           kernelspec says notebook\n"
				  "  --r-home DIR             which R; see `carrack help`\n"
				  "  --startup-file FILE      an R file to run when R has started\n"
				  "  --log FILE               the log, appended to; standard error if not given\n"
				  "  --log-level error|warn|info|debug\n"
				  "                           warn if not given; the variable CARRACK_LOG wins\n"
				  "  --no-capture-streams     accepted as ark does, without effect\n"
				  "  --no-snapshots           park no copies of the session (for crashes)\n"
				  "  --patience SECONDS       how long a client is waited for that takes nothing of\n"
				  "                           what is there for it, before it is let go; 120\n"
				  "  --profile FILE           accepted, for those who start ark with it\n"
				  "  --install                write the kernelspec, as `carrack install`, and end\n"
				  "  --version, --help\n"
				  "\n"
				  "Package repositories (at most one of these)\n"
				  "  --default-repos rstudio|posit-ppm|none|auto\n"
				  "                           auto if not given: a repos.conf of the user or the\n"
				  "                           system, else CRAN's cloud mirror\n"
				  "  --repos-conf FILE        a file of lines NAME=URL\n"
				  "  --default-ppm-repo URL   a Package Manager: https://HOST/REPOSITORY/SNAPSHOT\n"
				  "  --default-cran-repo URL  a mirror of CRAN\n"
				  "\n"
				  "What follows `--` goes to R.\n";

static const char install_page[] = "Make the kernel known to Jupyter: write a kernelspec with logos.\n"
				   "\n"
				   "  carrack install [--user | --sys-prefix | --prefix DIR] [options]\n"
				   "\n"
				   "Where\n"
				   "  --user           for you alone (this is what is done if nothing is said):\n"
				   "                   JUPYTER_DATA_DIR, else XDG_DATA_HOME/jupyter,\n"
				   "                   else ~/.local/share/jupyter\n"
				   "  --sys-prefix     in the active conda or virtual environment, else /usr/local\n"
				   "  --prefix DIR     in DIR/share/jupyter\n"
				   "\n"
				   "Options\n"
				   "  --name NAME            the kernelspec's name, `carrack` if not given\n"
				   "  --display-name TEXT    what menus show, `R (Carrack)` if not given\n"
				   "  --r-home DIR           always this R; otherwise found when the kernel starts\n"
				   "  --env NAME=VALUE       a variable for the kernel and R; may be repeated\n"
				   "  --session-mode MODE    notebook if not given; console or background\n"
				   "\n"
				   "A kernelspec of Carrack with that name is replaced, one of another kernel never.\n"
				   "For a second R, install again with another --name, --display-name and --r-home.\n";

static const char uninstall_page[] = "Remove the kernelspec that `carrack install` wrote.\n"
				     "\n"
				     "  carrack uninstall [--user | --sys-prefix | --prefix DIR] [--name NAME]\n"
				     "\n"
				     "Without a place, all directories that Jupyter reads are searched. Kernelspecs\n"
				     "of other kernels are left alone.\n";

static const char doctor_page[] = "Check that everything is there and works, and say what to do where it is not.\n"
				  "\n"
				  "  carrack doctor [--r-home DIR]\n"
				  "\n"
				  "It starts R twice, once by its own front end and once as a session, and shows\n"
				  "in what they differ: libraries, BLAS, variables, locale. It changes nothing.\n"
				  "The exit status is 0 if all is well, 1 if something is to be done.\n"
				  "Of variables that are not R's own it shows names, never values.\n";

static const struct {
	const char *command, *page;
} pages[] = {
    {"kernel", kernel_page}, {"install", install_page}, {"uninstall", uninstall_page},
    {"doctor", doctor_page}, {"help", main_page},
};

int cmd_help(const char *command)
{
	if (!command) {
		fputs(main_page, stdout);
		return EXIT_DONE;
	}
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (strcmp(pages[i].command, command) == 0) {
			fputs(pages[i].page, stdout);
			return EXIT_DONE;
		}
	}
	fprintf(stderr, "carrack help: there is no command '%s'; expected kernel, install, uninstall or doctor\n",
		command);
	return EXIT_USAGE;
}

int usage_error(const char *command, const struct err *e)
{
	fprintf(stderr, "carrack %s: %s\nSee `carrack help %s`.\n", command, e->msg, command);
	return EXIT_USAGE;
}
