# Comms of R code: the manager that R code registers targets with and opens comms through. Described in docs/comms.md.
#
# Its names and arguments are those of IRkernel's comm_manager(), so that code that was written for that one finds what it knows. What is
# more than there: metadata, binary buffers (lists of raw vectors), and a handler that asks for them by the names of its arguments.

comm_manager <- new.env(parent = emptyenv())

# ---- the manager

comm_manager$target_to_handler_map <- list(quarto_kernel_setup = function(comm, data) quarto_setup(comm, data))
comm_manager$commid_to_comm <- list()

comm_manager$register_target <- function(target_name, handler_func) {
    stopifnot(is_one_string(target_name))
    map <- comm_manager$target_to_handler_map
    map[[target_name]] <- match.fun(handler_func)
    comm_manager$target_to_handler_map <- map
    invisible(handler_func)
}

comm_manager$unregister_target <- function(target_name, handler_func = NULL) {
    map <- comm_manager$target_to_handler_map
    map[[target_name]] <- NULL
    comm_manager$target_to_handler_map <- map
    invisible()
}

comm_manager$new_comm <- function(target_name, comm_id = .Call(native$comm_uuid)) {
    stopifnot(is_one_string(target_name), is_one_string(comm_id))
    new_comm(target_name, comm_id)
}

comm_manager$register_comm <- function(comm) {
    comms <- comm_manager$commid_to_comm
    comms[[comm$id]] <- comm
    comm_manager$commid_to_comm <- comms
    invisible(comm)
}

comm_manager$unregister_comm <- function(comm) {
    comm_forgotten(comm$id)
    invisible()
}

comm_manager$is_comm_registered <- function(comm) !is.null(comm_manager$commid_to_comm[[comm$id]])

comm_manager$make_comm_list <- function(comm_list) {
    names(comm_list) <- vapply(comm_list, function(comm) comm$id, "")
    lapply(comm_list, function(comm) list(target_name = comm$target_name))
}

comm_manager$send_open <- function(comm_id, target_name, data = list(), metadata = list(), buffers = list())
    comm_send("comm_open", comm_id, target_name, data, metadata, buffers)

comm_manager$send_msg <- function(comm_id, target_name, data = list(), metadata = list(), buffers = list())
    comm_send("comm_msg", comm_id, target_name, data, metadata, buffers)

comm_manager$send_close <- function(comm_id, target_name, data = list(), metadata = list(), buffers = list())
    comm_send("comm_close", comm_id, target_name, data, metadata, buffers)

class(comm_manager) <- "carrack_comm_manager"

# ---- a comm

new_comm <- function(target_name, comm_id) {
    comm <- new.env(parent = emptyenv())
    comm$id <- comm_id
    comm$target_name <- target_name
    comm$comm_manager <- comm_manager
    comm$msg_callback <- NULL
    comm$close_callback <- NULL

    # As in IRkernel, what makes no sense for a comm in its state is ignored: opening one that is open, sending on one that is closed.
    comm$open <- function(msg = list(), metadata = list(), buffers = list()) {
        if (!comm_manager$is_comm_registered(comm)) {
            comm_manager$send_open(comm$id, comm$target_name, msg, metadata, buffers)
            comm_manager$register_comm(comm)
        }
        invisible(comm)
    }
    comm$send <- function(msg = list(), metadata = list(), buffers = list()) {
        if (comm_manager$is_comm_registered(comm))
            comm_manager$send_msg(comm$id, comm$target_name, msg, metadata, buffers)
        invisible(comm)
    }
    comm$close <- function(msg = list(), metadata = list(), buffers = list()) {
        if (comm_manager$is_comm_registered(comm))
            comm_manager$send_close(comm$id, comm$target_name, msg, metadata, buffers)
        invisible(comm)
    }
    comm$on_msg <- function(a_msg_callback) {
        comm$msg_callback <- a_msg_callback
        invisible(comm)
    }
    comm$on_close <- function(a_close_callback) {
        comm$close_callback <- a_close_callback
        invisible(comm)
    }
    comm$handle_msg <- function(msg, metadata = list(), buffers = list()) {
        if (!is.null(comm$msg_callback))
            call_handler(comm$msg_callback, list(data = msg), metadata, buffers)
    }
    comm$handle_close <- function(msg = list(), metadata = list(), buffers = list()) {
        f <- comm$close_callback
        if (!is.null(f))
            call_handler(f, if (takes_arguments(f)) list(data = msg) else list(), metadata, buffers)
    }
    class(comm) <- "carrack_comm"
    comm
}

takes_arguments <- function(f) length(setdiff(names(formals(args(f))), c("metadata", "buffers"))) > 0L

# `metadata` and `buffers` go to a handler that has arguments of these names. The call is made of names, so that the message of an error
# in it does not show all the data.
call_handler <- function(handler, args, metadata, buffers) {
    handler <- match.fun(handler)
    more <- intersect(c("metadata", "buffers"), names(formals(base::args(handler))))
    call <- as.call(c(quote(handler), unname(lapply(names(args), as.name)), sapply(more, as.name)))
    eval(call, c(args, list(handler = handler, metadata = metadata, buffers = buffers)), baseenv())
    invisible()
}

# ---- between the manager and the session

comm_send <- function(type, id, target, data, metadata, buffers) {
    .Call(native$comm_send, type, id, target, plain(data), plain(metadata), as.list(buffers))
    invisible()
}

comm_target_known <- function(target) !is.null(comm_manager$target_to_handler_map[[target]])

comm_received <- function(type, id, target, data, metadata, buffers) {
    if (type == "comm_open") {
        comm <- comm_manager$register_comm(new_comm(target, id))
        call_handler(comm_manager$target_to_handler_map[[target]], list(comm = comm, data = data), metadata, buffers)
    } else {
        comm <- comm_manager$commid_to_comm[[id]]
        if (type == "comm_close")
            comm_forgotten(id) # nothing can be sent from here on
        if (!is.null(comm))
            (if (type == "comm_msg") comm$handle_msg else comm$handle_close)(data, metadata, buffers)
    }
    invisible()
}

# The session has closed the comm.
comm_forgotten <- function(id) {
    comms <- comm_manager$commid_to_comm
    comms[[id]] <- NULL
    comm_manager$commid_to_comm <- comms
}

# Packages ask IRkernel for the manager; it has one only while it is the kernel. Its place for it is an environment
# that it does not lock, so that nothing of it has to be replaced.
offer_comms <- function() {
    give <- function(...) {
        place <- get0("runtime_env", asNamespace("IRkernel"), inherits = FALSE)
        if (is.environment(place) && is.null(place$comm_manager))
            assign("comm_manager", comm_manager, envir = place)
    }
    if ("IRkernel" %in% loadedNamespaces()) give()
    setHook(packageEvent("IRkernel", "onLoad"), give)
}

# ---- values that JSON has no word for

is_one_string <- function(x) is.character(x) && length(x) == 1L && !is.na(x) && nzchar(x)

plain <- function(x) {
    if (is.list(x)) {
        if (is.data.frame(x))
            return(lapply(seq_len(nrow(x)), function(i) lapply(x, function(column) plain(column[[i]]))))
        return(lapply(x, plain))
    }
    if (is.factor(x) || inherits(x, c("Date", "POSIXt", "difftime")))
        return(if (inherits(x, "difftime")) as.numeric(x) else as.character(x))
    if (is.matrix(x) && !is.object(x))
        return(lapply(seq_len(nrow(x)), function(i) I(as.vector(x[i, ]))))
    x
}
