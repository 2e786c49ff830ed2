/* order.pml: the order and shutdown protocols of Carrack, for the model checker Spin.
 *
 * README.md says what is modelled and what is not; docs/link.md is the protocol. check.sh runs the configurations
 * and the mutants (each breaks one law; Spin must find an error in it).
 *
 * Every run ends: the user always asks for shutdown in the end, and no process runs in a circle. So a deadlock, a lost
 * wake-up or a livelock is either an invalid end state or a cycle, and both are looked for.
 */

#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef ACTIONS
#define ACTIONS 2 /* things a cell does, at most */
#endif
#ifndef SUBSCRIBERS
#define SUBSCRIBERS 2 /* the first is slow, the second dies */
#endif
#ifndef HANGS
#define HANGS 0
#endif
#ifndef CRASHES
#define CRASHES 0 /* deaths of the session, each at any point */
#endif

#define REQUESTS 2 /* execute requests 1 and 2, one of each client */
#define R_INTERRUPT 3
#define R_SHUTDOWN 4
#define PIPE 1     /* texts that a pipe holds */
#define HIGH 1     /* messages that may wait for a subscriber before the kernel stops listening to the session */
#ifndef BOUND
#define BOUND 16
#endif
/* messages that wait for one at the very most: what comes after HIGH is bounded */
#define BIT(r) (1 << (r))

mtype = { BUSY, IDLE, TEXT, DISPLAY, ERROR,                                  /* on iopub */
	  READY, TURN, PUBLISH, INPUT_REQUEST, INPUT_CANCEL, REPLY, EXIT,    /* session to kernel */
	  ACK, REQUEST, INPUT, SHUTDOWN,                                     /* kernel to session */
	  STARTING, UP, LEAVING,                                             /* the kernel's notion of the session */
	  FRAME, PIPES, TIMER, BURY, GIVE };                                 /* what woke the kernel */

/* Clients and kernel. */
chan shell = [REQUESTS] of { byte };
chan control = [2] of { byte };
chan reply[REQUESTS + 1] = [1] of { byte };
chan asked = [1] of { byte };  /* input_request: which question */
chan answered = [2] of { byte }; /* input_reply: to which question */
chan iopub[SUBSCRIBERS] = [BOUND] of { mtype, byte, byte, byte }; /* type, parent; who wrote it, its number */
bool gone[SUBSCRIBERS];

/* Kernel and session. */
chan stdout = [PIPE] of { byte, byte };
chan stderr = [PIPE] of { byte, byte };
chan from_session = [2] of { mtype, byte, byte };
chan to_session = [4] of { mtype, byte };
byte questions; /* counts input requests, as the seq of their frames does */
byte signalled; /* the number that came with the interrupt signal; later ones are larger, so one is enough */
bool start, alive, zombie, killed;
bool forked;
bool done; /* the kernel process has ended */

/* What is true, for the assertions. */
byte wrote[REQUESTS + 1]; /* texts and displays that the session made for a request */
byte late, late_seen;     /* texts of the child that outlives its cell */
byte running;             /* the request that is with the session */
bool wanted[REQUESTS + 1]; /* its interrupt was asked for */
byte replies[R_SHUTDOWN + 1];
byte received;            /* bits: requests that the kernel has taken off a socket */
byte finished;            /* clients that have their reply */

/* ── the kernel process: one loop, each turn of it is one step for the others ───────────────────────────────────── */

chan queue = [REQUESTS] of { byte };
chan gathered = [2 * PIPE] of { byte, byte }; /* text that is not published yet */
byte last_cell;
mtype state = STARTING;
bool stopping, stop_asked;
byte question; /* the input request that waits, 0: none */

#if MUTANT == 4
#define DROPS(i) (len(iopub[i]) > HIGH)
#else
#define DROPS(i) false
#endif

inline publish_to(i, type, parent, who, number)
{
	if
	:: gone[i] || DROPS(i)
	:: else ->
		assert(nfull(iopub[i])); /* memory is bounded */
		iopub[i]!type, parent, who, number
	fi
}

inline publish(type, parent, who, number)
{
	publish_to(0, type, parent, who, number);
#if SUBSCRIBERS > 1
	publish_to(1, type, parent, who, number)
#endif
}

inline flush()
{
	do
	:: gathered?r, n ->
		parent = running;
		if
		:: parent == 0 -> parent = last_cell
		:: else
		fi;
		publish(TEXT, parent, r, n)
	:: empty(gathered) -> break
	od
}

#if MUTANT == 1
#define NO_DRAIN (what == FRAME)
#elif MUTANT == 3
#define NO_DRAIN (what == FRAME && type == REPLY)
#elif MUTANT == 9
#define NO_DRAIN (what == BURY)
#else
#define NO_DRAIN false
#endif

#if MUTANT == 5
#define NO_FLUSH (what == FRAME && type == PUBLISH)
#else
#define NO_FLUSH (what == FRAME && type == TURN)
#endif

/* What the pipe holds now. Text is gathered up to a size. */
inline take(pipe)
{
	do
	:: nempty(pipe) ->
		if
		:: len(gathered) == 2 * PIPE -> flush()
		:: else
		fi;
		pipe?r, n;
		gathered!r, n
	:: empty(pipe) -> break
	od
}

inline send_reply(q)
{
	replies[q]++;
	assert(replies[q] == 1);
	if
	:: q <= REQUESTS -> reply[q]!q
	:: else
	fi
}

inline close_window(q)
{
	assert(replies[q] == 1);
	publish(IDLE, q, 0, 0)
}

inline interrupt()
{
	if
	:: running && alive ->
		wanted[running] = true;
		question = 0;
		signalled = running
	:: else
	fi
}

/* A turn of the kernel's loop has these parts; which of them are done depends on what woke it. */

/* 1. The pipes are emptied, and what was gathered is published. */
inline drain_and_flush()
{
	if
	:: (what == PIPES || what == FRAME || what == BURY) && !NO_DRAIN ->
		take(stdout);
		take(stderr)
	:: else
	fi;
	if
	:: (what == TIMER || what == FRAME || what == BURY || what == GIVE) && !NO_FLUSH -> flush()
	:: else
	fi
}

/* 2. A frame of the session is acted upon. A reply ends its request. */
inline act()
{
	if
	:: type == READY -> state = UP
	:: type == PUBLISH -> publish(DISPLAY, running, a, b)
	:: type == INPUT_REQUEST -> question = b; asked!b
	:: type == INPUT_CANCEL -> question = 0
	:: type == REPLY -> assert(running == a); ending = true
	:: type == EXIT -> state = LEAVING; stop = true
	:: else /* TURN: nothing but the rendezvous */
	fi
}

/* The session's process is gone; what it said has been acted upon and what it wrote has been published. */
inline bury()
{
	zombie = false;
	do
	:: to_session?_, _
	:: from_session?_, _, _
	:: empty(to_session) && empty(from_session) -> break
	od;
	if
	:: running && MUTANT != 13 -> publish(ERROR, running, 0, 0); ending = true
	:: else
	fi;
	if
	:: state == LEAVING || stopping -> leaving = true
	:: else ->
		state = STARTING;
		start = MUTANT != 21
	fi
}

/* 3. The running request ends: reply, idle. If its cell failed and stop_on_error was set, those that wait are aborted. Whether
 * that is so makes no difference to the order: it is left to chance. */
inline end_running()
{
	q = running;
	running = 0;
	question = 0;
	send_reply(q);
	close_window(q);
	if
	:: aborting = true
	:: true
	fi
}

/* 4. Shutdown begins: what waits is answered, the session is interrupted and asked to go. */
inline stop_begin()
{
	stopping = true;
	aborting = true;
	if
	:: MUTANT == 22 -> leaving = true
	:: MUTANT != 22 && state == UP -> interrupt(); to_session!SHUTDOWN, 0
	:: else
	fi
}

/* 5. Requests that the session will not see are answered. */
inline abort_queue()
{
	do
	:: queue?q -> publish(BUSY, q, 0, 0); send_reply(q); close_window(q)
	:: leaving && nempty(shell) -> shell?q; received = received | BIT(q); queue!q
	:: empty(queue) && (empty(shell) || !leaving) -> break
	od
}

/* 6. The session is gone for good: the end. */
inline leave()
{
	if
	:: stop_asked -> send_reply(R_SHUTDOWN); close_window(R_SHUTDOWN)
	:: else
	fi;
	done = true
}

#if MUTANT == 16
#define HEAR true
#elif SUBSCRIBERS > 1
#define HEAR (stopping || (len(iopub[0]) <= HIGH && (gone[1] || len(iopub[1]) <= HIGH)))
#else
#define HEAR (stopping || len(iopub[0]) <= HIGH)
#endif

active proctype kernel()
{
	byte q, r, n, a, b, parent;
	bool stop, ending, aborting, leaving;
	mtype type, what;

	start = true;
	do
	:: done -> break
	:: atomic {
		if
		:: !done && nempty(shell) -> shell?q; received = received | BIT(q); queue!q
		:: !done && nempty(control) ->
			control?q;
			received = received | BIT(q);
			publish(BUSY, q, 0, 0);
			if
			:: q == R_INTERRUPT -> interrupt(); send_reply(q); close_window(q)
			:: q == R_SHUTDOWN -> stop_asked = true; stop = true
			fi
		/* What a dead session said counts: it is read to its end, whoever is slow. */
		:: !done && (HEAR || zombie) && nempty(from_session) && MUTANT != 19 -> from_session?type, a, b; what = FRAME
		:: !done && HEAR && (nempty(stdout) || nempty(stderr)) && MUTANT != 8 -> what = PIPES
		:: nempty(gathered) -> what = TIMER
		:: !done && nempty(answered) -> /* an answer to any other question is thrown away */
			answered?q;
			if
			:: question && (q == question || MUTANT == 17) -> to_session!INPUT, q; question = 0
			:: else
			fi
		:: zombie && (empty(from_session) || MUTANT == 10) -> what = BURY
		:: state == UP && nempty(queue) && !stopping && (!running || MUTANT == 15) -> what = GIVE /* late text goes first */
		:: stopping && alive && !killed && MUTANT != 12 -> killed = true /* the end of the ladder */
#if MUTANT == 19
		:: !done && (HEAR || zombie) && nempty(from_session) && type == 0 ->
			from_session?type, a, b;
			if
			:: alive -> to_session!ACK, 0
			:: else
			fi
		:: type -> what = FRAME
#endif
		fi;
		drain_and_flush();
		if
		:: what == FRAME -> act()
		:: what == BURY -> bury()
		:: what == GIVE ->
			queue?q;
			running = q;
			last_cell = q;
			publish(BUSY, q, 0, 0);
			to_session!REQUEST, q
		:: else
		fi;
		if
		:: ending -> end_running()
		:: else
		fi;
		if
		:: stop && !stopping -> stop_begin()
		:: else
		fi;
		if
		:: (aborting || leaving) && MUTANT != 14 -> abort_queue()
		:: else
		fi;
		if
		:: leaving -> leave()
		:: else
		fi;
		if
		:: what == FRAME && alive && MUTANT != 2 && MUTANT != 19 -> to_session!ACK, 0
		:: else
		fi;
#if MUTANT == 19
		if
		:: what == FRAME -> type = 0; a = 0; b = 0
		:: else
		fi;
#else
		type = 0; a = 0; b = 0;
#endif
		what = 0; q = 0; r = 0; n = 0; parent = 0;
		stop = false; ending = false; aborting = false; leaving = false }
	od
}

/* ── the session ────────────────────────────────────────────────────────────────────────────────────────────────── */

#if MUTANT == 2
#define AWAIT_ACK
#else
#define AWAIT_ACK \
	do \
	:: to_session?ACK, _ -> break \
	:: to_session?SHUTDOWN, _ -> told = true /* kept */ \
	:: to_session?INPUT, v -> kept = v \
	od;
#endif

/* Another stream than before is a rendezvous too. */
#if MUTANT == 6
#define TURN_TO(s)
#else
#define TURN_TO(s) \
	if \
	:: stream == s \
	:: else -> from_session!TURN, 0, 0; AWAIT_ACK \
	fi; \
	stream = s;
#endif

#if MUTANT == 7
#define INTERRUPTED (signalled != 0)
#else
#define INTERRUPTED (signalled == cell)
#endif

active proctype session()
{
	byte cell, todo, stream, v, kept;
	bool told;
again:
	if
	:: done -> goto out
	:: atomic { start -> start = false; alive = true; killed = false; told = false; cell = 0; stream = 0; kept = 0 }
	fi;
	{
		from_session!READY, 0, 0; AWAIT_ACK
		do
		:: told || to_session?[SHUTDOWN, _] -> break
		:: !told && to_session?[REQUEST, _] ->
			to_session?REQUEST, cell;
#if MUTANT == 20
			signalled = 0;
#endif
			todo = ACTIONS;
#if HANGS == 1
			if /* a cell that only an interrupt ends */
			:: cell == 1 -> INTERRUPTED
			:: else
			fi;
#elif HANGS == 2
			if /* and not even that */
			:: cell == 1 -> false
			:: else
			fi;
#endif
			do
			:: INTERRUPTED -> assert(wanted[cell]); break
			:: todo == 0 -> break
			:: todo && !INTERRUPTED ->
				todo--;
				if
				:: true -> TURN_TO(0) d_step { nfull(stdout) -> stdout!cell, wrote[cell]; wrote[cell]++ }
				:: true -> TURN_TO(1) d_step { nfull(stderr) -> stderr!cell, wrote[cell]; wrote[cell]++ }
				:: d_step { nfull(from_session) -> from_session!PUBLISH, cell, wrote[cell]; wrote[cell]++ }; AWAIT_ACK
#ifdef QUITS
				:: goto leaves /* q() */
#endif
#ifdef FORKS
				:: forked = true
#endif
#ifdef ASKS
				:: questions++; from_session!INPUT_REQUEST, 0, questions; AWAIT_ACK
					do
#if MUTANT == 18
					:: kept -> assert(kept == questions); kept = 0; break
#else
					:: kept -> kept = 0 /* it answers an earlier question */
#endif
					:: to_session?INPUT, v -> assert(v == questions); break
					:: to_session?SHUTDOWN, _ -> told = true
					:: INTERRUPTED -> from_session!INPUT_CANCEL, 0, 0; AWAIT_ACK break
					od;
					v = 0
#endif
				fi
			:: todo -> todo = 0 /* a shorter cell */
			od;
			todo = 0;
			from_session!REPLY, cell, 0; AWAIT_ACK
			cell = 0
		od;
leaves:
		from_session!EXIT, 0, 0; AWAIT_ACK
		skip
	} unless { killed };
	atomic { alive = false; zombie = true; todo = 0; cell = 0; signalled = 0; kept = 0; stream = 0 }
	goto again;
out:
	skip
}

#if CRASHES
/* A bad pointer, the memory killer: the session dies at any point, or does not. */
active proctype fate()
{
	byte n;
	do
	:: atomic { n < CRASHES && alive && !killed -> killed = true; n++ }
	:: done -> break
	od
}
#endif

#ifdef FORKS
/* A child that outlives its cell and writes when it likes. */
active proctype child()
{
	byte n;
	do
	:: forked && n < 2 -> d_step { n++ };
		if
		:: d_step { nfull(stdout) && !done -> stdout!0, 0; late++ }
		:: done
		fi
	:: done -> break
	od
}
#endif

/* ── clients ────────────────────────────────────────────────────────────────────────────────────────────────────── */

proctype client(byte me)
{
	byte q;
	shell!me;
	if
	:: reply[me]?q -> assert(q == me)
	:: done
	fi;
	finished++
}

#ifdef ASKS
/* Answers what it is asked, once, or late, or not at all (then the user has to interrupt). */
active proctype answers()
{
	byte q;
	do
	:: atomic { asked?q -> if :: answered!q :: nfull(answered) fi; q = 0 }
	:: done -> break
	od
}
#endif

/* Interrupts at any moment, or when the cell that hangs is with the session; ends everything in the end. */
active proctype user()
{
#if HANGS == 1
	running == 1 || replies[1];
	control!R_INTERRUPT;
#elif defined(INTERRUPTS)
	control!R_INTERRUPT;
#endif
#ifdef SHUTDOWN_AT_ANY_TIME
	control!R_SHUTDOWN
#else
	if
	:: finished == REQUESTS -> control!R_SHUTDOWN
	:: done /* the session quit by itself */
	fi
#endif
}

/* What a subscriber may ever see. */
proctype subscriber(byte me)
{
	byte next[REQUESTS + 1];
	byte busy, idle;
	mtype t;
	byte p, r, n;
	do
	:: atomic { iopub[me]?t, p, r, n ->
		if
		:: t == BUSY -> assert(!(busy & BIT(p))); busy = busy | BIT(p)
		:: t == IDLE ->
			assert((busy & BIT(p)) && !(idle & BIT(p)));
			idle = idle | BIT(p);
			if
			:: p <= REQUESTS -> assert(next[p] == wrote[p]) /* nothing lost, all before idle */
			:: else
			fi
		:: t == TEXT && r == 0 -> /* the child's: of a cell that has begun */
			assert(p && (busy & BIT(p)));
			if
			:: me == 0 -> late_seen++
			:: else
			fi
		:: t == ERROR -> assert((busy & BIT(p)) && !(idle & BIT(p)))
		:: else ->
			assert(p == r);                                   /* the right parent */
			assert((busy & BIT(p)) && !(idle & BIT(p)));      /* inside its window */
			assert(n == next[r]);                             /* in the order in which it was made */
			next[r]++
		fi;
		t = 0; p = 0; r = 0; n = 0 }
	:: me == 1 -> break /* stops reading */
	:: done && empty(iopub[me]) ->
		assert(busy == idle);
		assert(busy == received); /* every request that was received, and nothing else */
		goto seen_all
	od;
#if MUTANT == 11
end_stuck:
	false;
#endif
	/* The operating system lets the connection go. */
	atomic {
		gone[me] = true;
		do
		:: iopub[me]?_, _, _, _
		:: empty(iopub[me]) -> break
		od;
		busy = 0; idle = 0; next[1] = 0; next[2] = 0
	}
	goto out;
seen_all:
	if
	:: me == 0 -> assert(late_seen == late) /* the child's texts too */
	:: else
	fi;
out:
	skip
}

init
{
	atomic {
		run client(1);
		run client(2);
		run subscriber(0);
#if SUBSCRIBERS > 1
		run subscriber(1)
#endif
	}
}
