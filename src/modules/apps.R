# Addresses on this machine: of applications (shiny, plumber, httpuv) and of R's help server. Described in docs/display.md.
#
# A browser that shows the notebook may be on another machine. Under JupyterHub, and wherever options(carrack.proxy=) says so,
# addresses are made to go through jupyter-server-proxy: <proxy>/<port>/<path>.

session_state <- new.env(parent = emptyenv())
session_state$threads_lost <- 0L # by a crash; see session_woken()

local_url <- "^http://(127\\.0\\.0\\.1|localhost|0\\.0\\.0\\.0|\\[::1?\\]):([0-9]+)(/.*)?$"

is_local_url <- function(url) grepl(local_url, url)

proxy_prefix <- function() {
    prefix <- getOption("carrack.proxy")
    if (is_one_string(prefix))
        return(if (endsWith(prefix, "/")) prefix else paste0(prefix, "/"))
    prefix <- Sys.getenv("JUPYTERHUB_SERVICE_PREFIX")
    if (nzchar(prefix)) paste0(sub("/$", "", prefix), "/proxy/")
}

# The address that the user's browser needs.
address <- function(url) {
    prefix <- if (is_local_url(url)) proxy_prefix()
    if (is.null(prefix))
        return(sub("^http://0\\.0\\.0\\.0:", "http://127.0.0.1:", url))
    path <- sub(local_url, "\\3", url)
    paste0(prefix, sub(local_url, "\\2", url), if (nzchar(path)) path else "/")
}

attribute_text <- function(url) gsub("\"", "%22", escape_html(url), fixed = TRUE)

link_to <- function(url, text = url)
    sprintf("<a href=\"%s\" target=\"_blank\" rel=\"noopener\">%s</a>", attribute_text(url), escape_html(text))

# A link, and with options(carrack.viewer = "iframe") the application below it.
app_forms <- function(url) {
    to <- address(url)
    html <- link_to(to, url)
    if (identical(getOption("carrack.viewer"), "iframe"))
        html <- sprintf("<div>%s</div>\n<iframe src=\"%s\" style=\"display:block;width:100%%;height:480px;border:1px solid #ccc\"></iframe>",
                        html, attribute_text(to))
    list("text/plain" = if (identical(to, url)) url else paste0(url, " (", to, ")"), "text/html" = html)
}

show_app <- function(url, ...) {
    url <- one_string(url)
    if (!ui_event("show_url", url = url))
        display_data(app_forms(url))
    invisible()
}

# A server that httpuv runs beside the cells.
forms_of_server <- function(x) {
    if (session_state$threads_lost > 0L || !isTRUE(tryCatch(x$isRunning(), error = function(e) FALSE)))
        return(NULL)
    host <- x$getHost()
    url <- sprintf("http://%s:%d/", if (grepl(":", host, fixed = TRUE)) paste0("[", host, "]") else host, as.integer(x$getPort()))
    forms <- app_forms(url)
    forms["text/html"]
}

# ---- shiny beside the cells: options(carrack.shiny = "background") ----
#
# runApp() returns when the application ends, so a cell that runs one goes on until it is interrupted. A forked process, with the
# workspace as it is now, can run it while cells go on. NULL: it is run in the cell.

forms_of_shiny <- function(app) {
    if (!inherits(app, "shiny.appobj") || !identical(getOption("carrack.shiny"), "background") || isFALSE(session_state$can_fork_apps))
        return(NULL)
    port <- free_port(getOption("shiny.port"))
    # Interrupts are meant for cells, and go to all processes of the session.
    job <- parallel::mcparallel(suspendInterrupts(shiny::runApp(app, port, FALSE, "127.0.0.1", quiet = TRUE)), detached = TRUE)
    if (!is_served(port, 20)) {
        # httpuv has been used in this process: its thread is not in the fork, and it waits for it.
        tools::pskill(job$pid, tools::SIGKILL)
        session_state$can_fork_apps <- FALSE
        message("This application cannot be run beside the cells: a server has been run in this session before. It is run in the cell.")
        return(NULL)
    }
    forms <- app_forms(sprintf("http://127.0.0.1:%d/", port))
    how <- sprintf("In process %d, with a copy of the workspace; tools::pskill(%d) ends it.", job$pid, job$pid)
    list("text/plain" = paste(forms[["text/plain"]], how, sep = "\n"),
         "text/html" = sprintf("%s\n<div><small>%s</small></div>", forms[["text/html"]], how))
}

free_port <- function(wanted) {
    ports <- if (is.numeric(wanted)) as.integer(wanted) else 3000L + (Sys.getpid() * 7L + seq(0L, by = 131L, length.out = 100L)) %% 5000L
    for (port in ports) {
        socket <- tryCatch(serverSocket(port), error = function(e) NULL, warning = function(w) NULL)
        if (!is.null(socket)) {
            close(socket)
            return(port)
        }
    }
    stop("no port is free for the application")
}

is_served <- function(port, seconds) {
    until <- Sys.time() + seconds
    while (Sys.time() < until) {
        connection <- tryCatch(suppressWarnings(socketConnection("127.0.0.1", port, timeout = 1, open = "r")), error = function(e) NULL)
        if (!is.null(connection)) {
            close(connection)
            return(TRUE)
        }
        Sys.sleep(0.05)
    }
    FALSE
}

# ---- after a crash ----

# This process is a copy that has taken the place of a session that died. Its threads are gone.
session_woken <- function(threads) {
    session_state$threads_lost <- threads
    if (threads > 0L && isNamespaceLoaded("httpuv"))
        refuse_servers(asNamespace("httpuv"))
}
