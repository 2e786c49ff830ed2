# What R code wants shown by a front end around the session, where a client has opened the comm positron.ui (src/comms/ui.c);
# the methods that such a client calls; and help, where it has opened positron.help. Described in docs/comms.md.

# FALSE if there is no such client. Arguments without a value (NULL) are left out.
ui_event <- function(method, ...) .Call(native$comm_event, "positron.ui", method, Filter(Negate(is.null), list(...)))

ui_is_open <- function() .Call(native$comm_open, "positron.ui")

# ---- methods that clients call by name: call_method ----

ui_methods <- list(
    setConsoleWidth = function(width) options(width = max(10L, min(10000L, as.integer(width))))$width,
    showHelpTopic = function(topic) help_show_topic(topic),
    showVignetteTopic = function(topic) help_show_vignette(topic),
    isPackageAttached = function(package) paste0("package:", package) %in% search(),
    is_installed = function(package, minimum = NULL)
        nzchar(system.file(package = package)) && (is.null(minimum) || utils::packageVersion(package) >= minimum),
    get_attached_packages = function() I(.packages()),
    get_locale = function() Sys.getlocale(),
    get_env_vars = function() as.list(Sys.getenv()))

# The user's own are functions `.ps.rpc.<method>`.
ui_method <- function(method) {
    ours <- ui_methods[[method]]
    if (is.null(ours)) get0(paste0(".ps.rpc.", method), globalenv(), mode = "function") else ours
}

ui_method_known <- function(method) !is.null(ui_method(method))

ui_call_method <- function(method, params) plain(do.call(ui_method(method), params, quote = TRUE))

# What it prints and says is in `output`.
ui_evaluate <- function(code) {
    value <- NULL
    lines <- utils::capture.output(value <- withCallingHandlers(
        eval(parse(text = code, keep.source = FALSE), globalenv()),
        message = function(m) {
            cat(conditionMessage(m))
            invokeRestart("muffleMessage")
        },
        warning = function(w) {
            cat("Warning message:\n", conditionMessage(w), "\n", sep = "")
            invokeRestart("muffleWarning")
        }))
    list(result = plain(value), output = one_string(paste(lines, collapse = "\n")))
}

# ---- help ----
#
# Pages are served by R's own help server, which is one of the event sources that the session serves while it is idle. It changes the
# random numbers when it chooses a port, and a copy of the session that was woken after a crash does not have its socket.

help_state <- new.env(parent = emptyenv())
help_state$pid <- Sys.getpid()

help_is_open <- function() .Call(native$comm_open, "positron.help")

help_port <- function() tools:::httpdPort()

# The port where it serves; 0 or less if it cannot.
help_server <- function() {
    seed <- get0(".Random.seed", globalenv(), inherits = FALSE)
    on.exit(if (is.null(seed)) suppressWarnings(rm(".Random.seed", envir = globalenv()))
            else assign(".Random.seed", seed, envir = globalenv()))
    suppressMessages({
        if (help_port() > 0L && help_state$pid != Sys.getpid())
            tools::startDynamicHelp(FALSE)
        help_state$pid <- Sys.getpid()
        tools::startDynamicHelp(NA)
    })
}

# A client has opened the comm, or closed it.
help_opened <- function() {
    help_server()
    if (is.null(getOption("help_type")))
        options(help_type = "html")
    help_state$asked <- TRUE
}

help_closed <- function() {
    if (isTRUE(help_state$asked) && identical(getOption("help_type"), "html"))
        options(help_type = NULL)
    help_state$asked <- FALSE
}

# The path on the help server, or NULL for any other URL.
help_path <- function(url) {
    start <- sprintf("http://127.0.0.1:%d/", help_port())
    if (help_port() > 0L && startsWith(url, start)) substring(url, nchar(start))
}

help_show <- function(path)
    .Call(native$comm_event, "positron.help", "show_help",
          list(content = sprintf("http://127.0.0.1:%d%s", help_server(), path), kind = "url", focus = TRUE))

# `topic`, `package::topic` or `package:::topic`. TRUE if there is a page about it.
help_show_topic <- function(topic) {
    parts <- strsplit(topic, ":::?")[[1L]]
    if (!nzchar(topic) || length(parts) == 2L && !nzchar(system.file(package = parts[1L])))
        return(FALSE)
    found <- if (length(parts) == 2L) utils::help((parts[2L]), (parts[1L]), help_type = "html")
             else utils::help((topic), help_type = "html")
    if (!length(found) && length(parts) != 2L)
        found <- utils::help((topic), help_type = "html", try.all.packages = TRUE)
    if (!length(found))
        return(FALSE)
    old <- options(browser = show_url)
    on.exit(options(old))
    print(found)
    TRUE
}

help_show_vignette <- function(topic) {
    parts <- strsplit(topic, "::", fixed = TRUE)[[1L]]
    if (!nzchar(topic) || length(parts) == 2L && !nzchar(system.file(package = parts[1L])))
        return(FALSE)
    found <- suppressWarnings(if (length(parts) == 2L) utils::vignette(parts[2L], parts[1L]) else utils::vignette(topic))
    if (!inherits(found, "vignette"))
        return(FALSE)
    old <- options(browser = show_url)
    on.exit(options(old))
    print(found)
    TRUE
}
