# What the session adds to R after R has started as it always does.

language <- function() {
    v <- R.version
    c(paste(v$major, v$minor, sep = "."),
      sprintf("%s -- \"%s\"\nPlatform: %s", v$version.string, v$nickname, v$platform),
      if (isTRUE(l10n_info()[["UTF-8"]])) "" else Sys.getlocale("LC_CTYPE"),
      if (getRversion() >= "4.2.0") "" else "old")
}

# Options that R or the user's profile have set stay as they are. `menu.graphics` is TRUE unless somebody changes it, and then
# menus would open windows on the machine where R runs, which need not be the one that the user sits at. The
# output is a terminal's (terminal.c): one with all colours, in which the cursor stays in its line (cli.ansi; not all clients move it).
set_options <- function() {
    ours <- list(jupyter.in_kernel = TRUE, cli.ansi = FALSE, askpass = ask_password, jupyter.comm_manager = function() comm_manager,
                 jupyter.register_variable_method = register_variable_method)
    unset <- vapply(names(ours), function(name) is.null(getOption(name)), NA)
    options(ours[unset])
    set_plot_options()
    set_page_options()
    if (!isFALSE(getOption("menu.graphics")))
        options(menu.graphics = FALSE)
    if (!nzchar(Sys.getenv("COLORTERM")))
        Sys.setenv(COLORTERM = "truecolor")
    display_options()
    offer_comms()
    offer_rstudioapi()
}

ask_password <- function(prompt = "Password: ") .Call(native$ask_password, one_string(prompt))

# In an environment of its own: what the file defines for itself is not left lying in the user's workspace.
run_startup_file <- function(file) {
    sys.source(file, envir = new.env(parent = baseenv()), chdir = FALSE, keep.source = FALSE)
}

# A call that C code knows and looks for in R's stack of contexts: see session/report.c.
probe_contexts <- function() .Call(native$report_probe)
