# Functions of package rstudioapi, where a client has opened positron.ui. The package looks for RStudio by .Platform$GUI, and for its functions,
# named .rs.api.<function>, in an environment on the search path. Both are answered without a change to either (replaced.R): the
# environment is this one. Positron's own R kernel has the same functions; their arguments are rstudioapi's.

rstudio <- new.env(parent = emptyenv())

# What the front end says of itself. One that does not say how old it is has what RStudio had in that year.
rstudio_version <- function() {
    version <- Sys.getenv("POSITRON_VERSION")
    package_version(if (grepl("^[0-9]+([.-][0-9]+)+$", version)) version else "2024.4.0")
}

offer_rstudioapi <- function() {
    give <- function(...) {
        functions <- rstudio_functions()
        names(functions) <- paste0(".rs.api.", names(functions))
        list2env(functions, rstudio)
        replace_rstudioapi()
    }
    if ("rstudioapi" %in% loadedNamespaces()) give()
    setHook(packageEvent("rstudioapi", "onLoad"), give)
}

rstudio_mode <- function() Sys.getenv("POSITRON_MODE", "desktop")

# rstudioapi means a document by its id; a front end tells R of the one that was active last.
rstudio_document <- function(id) {
    context <- ui_document()
    if (!is.null(id) && !identical(as.character(id), context$document$path))
        stop("the front end can only be asked about the document that was active last (`id` must be NULL)", call. = FALSE)
    context
}

# Positions and ranges as rstudioapi takes them, alone or in a list, as ranges that count from 0.
rstudio_ranges <- function(location) {
    if (!is.list(location) || inherits(location, "document_range"))
        location <- list(location)
    lapply(location, function(range) {
        if (identical(range, Inf))
            range <- c(Inf, 1, Inf, 1)
        if (is.list(range))
            range <- c(range$start, range$end)
        if (length(range) == 2L)
            range <- c(range, range)
        if (!is.numeric(range) || length(range) != 4L || anyNA(range))
            stop("a range must be four numbers: row and column of its start, row and column of its end", call. = FALSE)
        as.integer(pmin(pmax(range, 1), .Machine$integer.max - 1) - 1)
    })
}

rstudio_position <- function(position)
    structure(c(row = position$line + 1, column = position$character + 1), class = "document_position")

rstudio_selection <- function(selection)
    list(range = structure(list(start = rstudio_position(selection$start), end = rstudio_position(selection$end)),
                           class = "document_range"),
         text = one_string(selection$text))

rstudio_insert <- function(location = NULL, text = NULL, id = NULL) {
    if (is.null(text)) { # insertText("text")
        text <- location
        location <- NULL
    }
    context <- if (is.null(location) || !is.null(id)) rstudio_document(id)
    if (is.null(location) && is.null(context))
        stop("there is no document to insert text into", call. = FALSE)
    ranges <- if (!is.null(location)) rstudio_ranges(location)
              else lapply(context$selections, function(s) as.integer(c(s$start$line, s$start$character, s$end$line, s$end$character)))
    text <- as.character(text)
    if (length(text) == 1L)
        text <- rep(text, length(ranges))
    if (length(text) != length(ranges))
        stop("there must be one text, or one for each range", call. = FALSE)
    ui_ask("modify_editor_selections", selections = lapply(ranges, ui_range), values = I(text))
    invisible(list(ranges = ranges, text = text, id = id))
}

rstudio_context <- function(id = NULL) {
    context <- rstudio_document(id)
    if (is.null(context))
        return(NULL)
    list(id = context$document$path, path = context$document$path, contents = context$contents,
         selection = lapply(context$selections, rstudio_selection))
}

# Commands that have another name there. Others are passed on: they are the front end's own.
rstudio_commands <- c(activateConsole = "workbench.action.positronConsole.focusConsole",
                      activateTerminal = "workbench.action.terminal.focus",
                      reindent = "editor.action.reindentselectedlines",
                      saveAllSourceDocs = "workbench.action.files.saveAll",
                      refreshFiles = "workbench.files.action.refreshFilesExplorer",
                      vcsRefresh = "git.refresh")

rstudio_command <- function(commandId, quiet = FALSE) {
    command <- unname(rstudio_commands[commandId])
    if (is.na(command) && grepl(".", commandId, fixed = TRUE))
        command <- commandId
    if (is.na(command)) {
        if (!quiet)
            ui_tell("show_message", message = sprintf("The command '%s' does not exist.", commandId))
        return(invisible())
    }
    if (commandId == "vcsRefresh" &&
        !isTRUE(ui_ask("evaluate_when_clause", when_clause = "config.git.enabled && gitOpenRepositoryCount > 0")))
        return(invisible())
    invisible(ui_ask("execute_command", command = command))
}

rstudio_new_document <- function(type, code, row = 0, column = 0, execute = FALSE) {
    if (isTRUE(execute) || !isTRUE(row == 0) || !isTRUE(column == 0))
        stop("the front end cannot place the cursor in a new document, or run it", call. = FALSE)
    invisible(ui_ask("new_document", contents = one_string(paste(code, collapse = "\n")),
                     language_id = if (type == "rmarkdown") "rmd" else type))
}

rstudio_navigate <- function(file = character(), line = -1L, column = -1L, moveCursor = TRUE) {
    if (!length(file) || !nzchar(file[1L])) {
        context <- ui_document()
        if (is.null(context))
            stop("there is no document to go to", call. = FALSE)
        file <- context$document$path
    }
    uri <- grepl("^[A-Za-z][A-Za-z0-9+.-]+:", file)
    ui_tell("open_editor", file = if (uri) file else normalizePath(file, mustWork = TRUE), line = max(0L, as.integer(line)),
            column = max(0L, as.integer(column)), kind = if (uri) "uri" else "path")
}

rstudio_send <- function(code, echo = TRUE, execute = TRUE, focus = TRUE, animate = FALSE) {
    if (!isTRUE(echo) || !isTRUE(execute))
        stop("the front end cannot show code without running it, or run it without showing it", call. = FALSE)
    invisible(ui_ask("execute_code", language_id = "r", code = one_string(paste(code, collapse = "\n")), focus = isTRUE(focus),
                     allow_incomplete = FALSE))
}

rstudio_viewer <- function(url, height = NULL) {
    height <- if (identical(height, "maximize")) -1L else if (is.null(height)) 0L else as.integer(height)
    if (grepl("^https?:", url))
        ui_tell("show_url", url = url)
    else
        ui_tell("show_html_file", path = normalizePath(url, mustWork = FALSE), title = "", destination = "viewer", height = height)
}

rstudio_dialog <- function(title, message, url = "") {
    if (nzchar(url))
        message <- sprintf("%s<br><a href=\"%s\">%s</a>", message, escape_html(url), escape_html(url))
    invisible(ui_ask("show_dialog", title = title, message = message))
}

rstudio_prompt <- function(title, message, default = NULL, timeout = getOption("rstudioapi.remote.timeout", 60L))
    ui_ask("show_prompt", title = title, message = message, default = if (is.null(default)) "" else as.character(default),
           timeout = as.integer(timeout))

rstudio_question <- function(title, message, ok = NULL, cancel = NULL)
    ui_ask("show_question", title = title, message = message, ok_button_title = if (is.null(ok)) "OK" else ok,
           cancel_button_title = if (is.null(cancel)) "Cancel" else cancel)

rstudio_restart <- function(command = "", clean = FALSE) {
    if (!identical(command, ""))
        stop("the front end cannot run a command after a restart", call. = FALSE)
    invisible(ui_ask("execute_command", command = "workbench.action.language.runtime.restartActiveSession"))
}

rstudio_preview <- function(rdFile) {
    page <- tempfile(fileext = ".html")
    tools::Rd2HTML(rdFile, out = page)
    rstudio_viewer(page)
}

rstudio_functions <- function() list(
    versionInfo = function()
        list(citation = utils::citation(), mode = rstudio_mode(), version = rstudio_version(),
             long_version = Sys.getenv("POSITRON_LONG_VERSION")),
    getVersion = function() rstudio_version(),
    getMode = function() rstudio_mode(),
    insertText = rstudio_insert,
    modifyRange = rstudio_insert,
    setSelectionRanges = function(ranges, id = NULL) {
        if (!is.null(id)) rstudio_document(id)
        ranges <- rstudio_ranges(ranges)
        # Positron counts from 1 here, unlike its description.
        ui_tell("set_editor_selections", selections = lapply(ranges, function(range) ui_range(range + 1L)))
        invisible(list(ranges = ranges, id = id))
    },
    documentId = function(allowConsole = TRUE) ui_document()$document$path,
    documentPath = function(id = NULL) rstudio_document(id)$document$path,
    getActiveDocumentContext = function() rstudio_context(),
    getSourceEditorContext = rstudio_context,
    documentNew = rstudio_new_document,
    documentSave = function(id = NULL) {
        if (!is.null(id)) rstudio_document(id)
        ui_ask("execute_command", command = "workbench.action.files.save")
        TRUE
    },
    documentSaveAll = function() {
        ui_ask("execute_command", command = "workbench.action.files.saveAllTitled")
        TRUE
    },
    navigateToFile = rstudio_navigate,
    executeCommand = rstudio_command,
    sendToConsole = rstudio_send,
    restartSession = rstudio_restart,
    getActiveProject = function() ui_ask("workspace_folder"),
    openProject = function(path = NULL, newSession = FALSE)
        ui_tell("open_workspace", path = normalizePath(path, mustWork = TRUE), new_window = isTRUE(newSession)),
    showDialog = rstudio_dialog,
    showPrompt = rstudio_prompt,
    showQuestion = rstudio_question,
    askForPassword = function(prompt = "Please enter your password") ui_ask("ask_for_password", prompt = prompt),
    viewer = rstudio_viewer,
    previewRd = rstudio_preview,
    readRStudioPreference = function(name, default = NULL) default,
    getConsoleHasColor = function() FALSE)
