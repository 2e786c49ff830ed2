/* death.pml: the session's death and what follows, for the model checker Spin: copies that are parked, waking, undo, abandoned
 * cells, deaths at the start, shutdown and the kernel's own end in the middle of all that.
 *
 * README.md says what is modelled; docs/link.md is the protocol; src/kernel/{park,death,session,stop}.c and
 * src/session/park.c are what is followed here, step by step. check.sh runs the configurations and the mutants.
 *
 * A process is a slot: free, a session, a copy that is parked, or a zombie. Its memory is the set of cells that ran in it. Death comes
 * between any two steps of any process.
 */

#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef CELLS
#define CELLS 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef MAX_STARTS
#define MAX_STARTS 2 /* three in the code: what is more than one repeats itself */
#endif
#ifndef SLOTS
#define SLOTS 4 /* the session, two copies that are kept, one that is forked or on its way out */
#endif
#define NO 7
#define BIT(c) (1 << (c))

mtype = { FREE, SPAWNED, SESSION, COPY, ZOMBIE,                /* a process */
	  READY, PARKED, REPLY, UNDO, EXIT, CUT,               /* session to kernel; CUT is a frame that death cut off */
	  ACK, REQUEST, SHUTDOWN, WAKE,                        /* kernel to session */
	  NOBODY, PARENT, FLIGHT, KERNEL,                      /* who holds the other end of a process's link */
	  NONE, STARTING, UP, LEAVING };                       /* the kernel's notion of the session */

mtype life[SLOTS] = FREE;
mtype holder[SLOTS] = NOBODY;
bool killed[SLOTS];
byte mem[SLOTS];
chan up[SLOTS] = [2] of { mtype, byte };
chan down[SLOTS] = [3] of { mtype, byte };
chan pipe = [1] of { byte }; /* one for all sessions, as in the kernel */

chan shell = [1] of { byte };
chan answer = [1] of { byte };
bool shutdown_asked, done, finished;

/* What is true, for the assertions. */
byte wrote[CELLS + 1], heard[CELLS + 1];
bool ran[CELLS + 1];
bool said[CELLS + 1]; /* its reply is on the link */
bool busy[CELLS + 1], replied[CELLS + 1];

/* ── the kernel process ─────────────────────────────────────────────────────────────────────────────────────────── */

mtype state = NONE;
byte current = NO;             /* the session's slot; NO: there is no process */
bool linked;                   /* its link is open */
bool waking, undo, abandoned, stopping, respawn, cut;
byte running, queued, count, failed_starts;
byte asker;                    /* the request that undo was called in; 0: none */
byte parked = NO, parked_cells, older = NO, older_cells;

inline drop(p)
{
	if
	:: p != NO -> holder[p] = NOBODY; p = NO
	:: else
	fi
}

inline drain()
{
	do
	:: pipe?t -> heard[t]++
	:: empty(pipe) -> break
	od
}

inline let_go()
{
	drop(parked);
	drop(older)
}

/* Its end of the link is open while it lives. One that was killed this moment seems to live. */
#if MUTANT == 10
#define ALIVE(p) (p != NO)
#else
#define ALIVE(p) (p != NO && life[p] == COPY)
#endif

/* The request has its window; the reply is sent; idle. What was written for it has been heard. */
inline finish(q, well)
{
	assert(busy[q] && !replied[q]);
	assert(well || !said[q]);
	assert(heard[q] == wrote[q]);
	replied[q] = true;
	answer!q
}

inline took(c)
{
	j = count - (running && MUTANT != 4 -> 1 : 0); /* cells that had ended by then */
	holder[c] = KERNEL;
	if
	:: MUTANT == 3 && parked != NO -> holder[c] = NOBODY
	:: else ->
		if
		:: parked != NO && parked_cells < j -> drop(older); older = parked; older_cells = parked_cells
		:: else -> drop(parked)
		fi;
		parked = c;
		parked_cells = j
	fi;
	j = 0
}

/* Undo wants the newest copy from before the last cell that has ended. */
inline take_undo()
{
	j = count - (running -> 1 : 0);
	if
	:: ALIVE(parked) && parked_cells < j && MUTANT != 15 -> undo = true
	:: else ->
		if
		:: ALIVE(older) ->
			assert(!(ALIVE(parked) && parked_cells < j)); /* it is the newest of those */
			drop(parked);
			parked = older; parked_cells = older_cells;
			older = NO; older_cells = 0;
			undo = true
		:: else
		fi
	fi;
	j = 0;
	if
	:: undo -> killed[current] = true
	:: else
	fi
}

inline act()
{
	drain();
	if
	:: t1 == READY ->
		if
		:: state == STARTING -> state = UP; waking = false
		:: else
		fi
	:: t1 == PARKED -> took(a)
	:: t1 == REPLY ->
		assert(a == running && ran[a] && !undo);
		failed_starts = 0;
		finish(a, true);
		running = 0
	:: t1 == UNDO -> asker = a; take_undo()
	:: t1 == EXIT -> state = LEAVING; stop = true
	fi
}

/* The newest copy that lives is the session now. What of the dead one's memory it does not have is what was said to be lost: `behind`
 * cells at the most; and it has nothing that the dead one did not have before the cell that ran. */
inline wake()
{
	if
	:: !ALIVE(parked) && MUTANT != 16 ->
		drop(parked);
		parked = older; parked_cells = older_cells;
		older = NO; older_cells = 0
	:: else
	fi;
	if
	:: ALIVE(parked) ->
		behind = count - parked_cells - (running -> 1 : 0);
		before = mem[current];
		if
		:: running -> before = before & (255 - BIT(running))
		:: else
		fi;
		assert(!(mem[parked] & (255 - before)));
		before = before & (255 - mem[parked]);
		lost = (before >> 1 & 1) + (before >> 2 & 1) + (before >> 3 & 1);
		assert(lost <= behind);
#ifdef ALWAYS
		assert(!running || undo || !ran[running] || lost == 0); /* of one that is given but has not begun, the copy is not made yet */
#endif
		current = parked;
		parked = NO; parked_cells = 0;
		linked = true;
		waking = true;
		state = STARTING;
		down[current]!WAKE, 0
	:: else ->
		assert(!ALIVE(older)); /* it would have been better than nothing */
		let_go();
		current = NO;
		respawn = true
	fi;
	behind = 0; before = 0; lost = 0
}

inline start_failed()
{
	if
	:: waking -> let_go(); waking = false
	:: else
	fi;
	current = NO;
	failed_starts++;
	assert(failed_starts <= MAX_STARTS);
	if
	:: failed_starts < MAX_STARTS || MUTANT == 13 -> respawn = true
	:: else ->
		state = NONE;
		if
		:: MUTANT != 17 -> let_go()
		:: else
		fi;
		assert(parked == NO && older == NO) /* nobody will wake them */
	fi
}

/* The session's process is gone: what it said and wrote counts. */
inline bury()
{
#if MUTANT != 7 && MUTANT != 20
	do
	:: up[current]?t1, a ->
		if
		:: t1 == CUT -> break
		:: else -> act()
		fi
	:: empty(up[current]) -> break
	od;
#endif
	cut = MUTANT == 8 && (cut || t1 == CUT);
	if
	:: MUTANT != 9 -> drain()
	:: else
	fi;
	/* Its link is closed, with what is in it: descriptors of copies too. */
	j = 0;
	do
	:: j < SLOTS ->
		if
		:: holder[j] == FLIGHT -> holder[j] = NOBODY
		:: else
		fi;
		j++
	:: else -> break
	od;
	j = 0;
	do
	:: down[current]?_, _
	:: empty(down[current]) -> break
	od;
	linked = false;
	do
	:: MUTANT != 7 && nempty(up[current]) -> up[current]?_, _
	:: MUTANT == 7 || empty(up[current]) -> break
	od;
	life[current] = FREE;
	holder[current] = NOBODY;
	if
	:: state == LEAVING || stopping -> current = NO; leaving = true
	:: else ->
		starting = state == STARTING || (!running && failed_starts >= MAX_STARTS - 1);
		if
		:: !running && state == UP && !starting -> failed_starts++
		:: else
		fi;
		state = NONE;
		if
		:: starting -> start_failed()
		:: !starting && undo ->
			wake();
			if
			:: running ->
				assert(ran[running] || (asker != running && MUTANT != 19)); /* what did not run is no success */
				finish(running, asker == running);
				running = 0
			:: else
			fi
		:: else ->
			wake();
			if
			:: running && MUTANT != 12 -> finish(running, false); running = 0
			:: else
			fi
		fi
	fi;
	undo = false;
	asker = 0;
	abandoned = false
}

/* The end: all are let go, who waits is answered. */
inline leave()
{
	if
	:: running -> finish(running, false); running = 0
	:: else
	fi;
	refuse_waiting();
	done = true;
	close_all()
}

inline refuse_waiting()
{
	do
	:: queued -> busy[queued] = true; finish(queued, false); queued = 0
	:: !queued && nempty(shell) -> shell?queued
	:: !queued && empty(shell) -> break
	od
}

inline close_all()
{
	j = 0;
	do
	:: j < SLOTS ->
		if
		:: MUTANT == 5 && life[j] == COPY
		:: (MUTANT != 5 || life[j] != COPY) && holder[j] != PARENT -> holder[j] = NOBODY
		:: else
		fi;
		if
		:: life[j] == ZOMBIE -> life[j] = FREE /* init's */
		:: else
		fi;
		j++
	:: else -> break
	od;
	j = 0;
	parked = NO; older = NO
}

inline begin_stop()
{
	stopping = true;
	let_go();
	if
	:: queued -> busy[queued] = true; finish(queued, false); queued = 0
	:: else
	fi;
	if
	:: current == NO -> leaving = true
	:: current != NO && state == STARTING -> killed[current] = true
	:: current != NO && state == UP && linked -> down[current]!SHUTDOWN, 0
	:: else
	fi
}

inline spawn()
{
	j = 0;
	do
	:: life[j] == FREE -> break
	:: else -> j++
	od;
	assert(j < SLOTS);
	respawn = false;
	life[j] = SPAWNED;
	holder[j] = KERNEL;
	mem[j] = 0;
	current = j;
	linked = true;
	state = STARTING;
	j = 0
}

#define CAN_SPAWN (life[0] == FREE || life[1] == FREE || life[2] == FREE || life[3] == FREE)

/* A session of which it is known that it ends is given nothing. */
#if MUTANT == 18
#define CAN_TAKE (state == UP)
#else
#define CAN_TAKE (state == UP && linked && !undo)
#endif

active proctype kernel()
{
	byte a, t, j, behind, before, lost;
	mtype t1;
	bool leaving, stop, starting, ack;

	respawn = true;
	do
	:: done -> break
	:: atomic {
		if
		:: !done && respawn && !stopping && CAN_SPAWN -> spawn()
		:: !done && nempty(shell) && !queued -> shell?queued
		:: !done && nempty(pipe) -> drain()
		:: !done && linked && !cut && nempty(up[current]) && life[current] != ZOMBIE ->
			up[current]?t1, a;
			if
			:: t1 == CUT -> cut = true
			:: else -> act(); ack = !undo
			fi
		:: !done && current != NO && life[current] == ZOMBIE && linked && !cut && empty(up[current]) -> linked = false /* its end is seen */
#if MUTANT == 11
		:: !done && current != NO && life[current] == ZOMBIE && !waking -> bury()
#else
		:: !done && current != NO && life[current] == ZOMBIE -> bury()
#endif
		:: !done && !running && queued && CAN_TAKE && !stopping ->
			assert(linked && !undo); /* its end would be blamed on what it did not do */
			running = queued;
			queued = 0;
			count++;
			busy[running] = true;
			down[current]!REQUEST, running
		:: !done && !running && queued && state == NONE && !respawn && current == NO && !stopping && MUTANT != 14 ->
			busy[queued] = true;
			finish(queued, false);
			queued = 0
#ifdef ABANDONS
		:: !done && running && current != NO && linked && !abandoned && !stopping -> /* the user's second interrupt */
			abandoned = true;
			killed[current] = true;
#if MUTANT == 1
			life[parked] = SESSION;
			assert(life[current] != SESSION)
#endif
#endif
		:: !done && shutdown_asked && !stopping -> stop = true
		:: !done && stopping && current != NO && life[current] != ZOMBIE && !killed[current] -> killed[current] = true /* the ladder */
#ifdef KERNEL_DIES
		:: !done -> done = true; close_all()
#endif
		fi;
		if
		:: stop && !stopping -> begin_stop()
		:: else
		fi;
		if
		:: leaving -> leave()
		:: else
		fi;
		if
		:: ack && linked && current != NO && life[current] != ZOMBIE -> down[current]!ACK, 0
		:: else
		fi;
		a = 0; t = 0; t1 = 0; j = 0; stop = false; leaving = false; starting = false; ack = false }
	od
}

/* ── a process ──────────────────────────────────────────────────────────────────────────────────────────────────── */

#define AWAIT_ACK \
	if /* what comes meanwhile is kept */ \
	:: down[i]??ACK, _ \
	:: !down[i]??[ACK, _] && holder[i] == NOBODY -> goto leaves \
	fi

#define SEND(type, value) up[i]!type, value; AWAIT_ACK

/* The copy: forked, then told of. The other end of its link is the parent's until the frame with it is on its way. */
#define MAKE_COPY \
	atomic { \
		c = 0; \
		do \
		:: c < SLOTS && life[c] != FREE -> c++ \
		:: c == SLOTS || life[c] == FREE -> break \
		od; \
		changed = false; \
		if \
		:: c < SLOTS -> life[c] = COPY; mem[c] = mem[i]; holder[c] = PARENT \
		:: c == SLOTS -> c = NO \
		fi \
	}; \
	if \
	:: c != NO -> \
		atomic { \
			if /* with nobody at the other end it is not sent */ \
			:: holder[i] == NOBODY -> holder[c] = NOBODY; c = NO; goto leaves \
			:: else -> holder[c] = FLIGHT; up[i]!PARKED, c; c = NO \
			fi \
		}; \
		AWAIT_ACK \
	:: else \
	fi

proctype process(byte i)
{
	byte q, c = NO;
	bool changed, undone;
again:
	if
	:: done && life[i] == FREE -> goto out
	:: atomic { life[i] == SPAWNED || life[i] == COPY -> changed = true; q = 0; c = NO }
	fi;
	{
		if
		:: life[i] == COPY ->
			if
			:: atomic { down[i]?WAKE, _ -> life[i] = SESSION }
			:: holder[i] == NOBODY && empty(down[i]) -> goto leaves
			fi
		:: atomic { else -> life[i] = SESSION }
		fi;
		/* There is one session. */
		assert((life[0] == SESSION) + (life[1] == SESSION) + (life[2] == SESSION) + (life[3] == SESSION) == 1);
		SEND(READY, 0);
		do
		:: down[i]?SHUTDOWN, _ -> goto quits
		:: empty(down[i]) && holder[i] == NOBODY -> goto leaves
		:: changed && empty(down[i]) -> MAKE_COPY /* nothing to do */
#ifdef UNDOES
		:: UNDOES == 2 && !undone && empty(down[i]) && mem[i] -> undone = true; SEND(UNDO, 0) /* code of an event source */
#endif
		:: down[i]?[REQUEST, _] ->
			down[i]?REQUEST, q;
			if
			:: changed && MUTANT != 2 -> MAKE_COPY
#ifndef ALWAYS
			:: true /* it was too dear */
#endif
			:: !changed
			fi;
			atomic { mem[i] = mem[i] | BIT(q); ran[q] = true; changed = true };
#if MUTANT == 2
			MAKE_COPY;
#endif
			if
			:: atomic { nfull(pipe) -> pipe!q; wrote[q]++ }
			:: done -> goto leaves
			fi;
			if
			:: true
#ifdef HANGS
			:: HANGS == q -> false /* it can only be killed */
#endif
#ifdef QUITS
			:: goto quits
#endif
#ifdef UNDOES
			:: SEND(UNDO, q)
#endif
			fi;
			atomic { up[i]!REPLY, q; said[q] = true };
			AWAIT_ACK;
			q = 0
		od;
quits:
		SEND(EXIT, 0);
leaves:
		skip
	} unless { killed[i] };
	atomic {
		/* What a process holds is closed when it ends. */
		if
		:: c != NO && holder[c] == PARENT && MUTANT != 6 -> holder[c] = NOBODY
		:: else
		fi;
		if
		:: life[i] != COPY && killed[i] && nfull(up[i]) && holder[i] == KERNEL -> up[i]!CUT, 0
		:: true
		fi;
		killed[i] = false; q = 0; c = NO; changed = false;
		if
		:: i != current || done -> /* nobody waits for it */
			life[i] = FREE;
			holder[i] = NOBODY;
			do
			:: up[i]?_, _
			:: down[i]?_, _
			:: empty(up[i]) && empty(down[i]) -> break
			od
		:: else -> life[i] = ZOMBIE
		fi
	}
	goto again;
out:
	skip
}

/* A bad pointer, the memory killer: any process at any point. */
#define KILLS(i) atomic { n < CRASHES && life[i] != FREE && life[i] != ZOMBIE && !killed[i] -> killed[i] = true; n++ }

active proctype fate()
{
	byte n;
	do
	:: KILLS(0)
	:: KILLS(1)
	:: KILLS(2)
	:: KILLS(3)
	:: done || n == CRASHES -> break
	od
}

active proctype client()
{
	byte q = 1, r;
	do
	:: q <= CELLS && !done ->
		shell!q;
		if
		:: answer?r -> assert(r == q)
		:: done -> break
		fi;
		q++
	:: q > CELLS || done -> break
	od;
	finished = true
}

active proctype user()
{
#ifdef SHUTDOWN_AT_ANY_TIME
	shutdown_asked = true
#else
	if
	:: finished -> shutdown_asked = true
	:: done
	fi
#endif
}

init
{
	atomic { run process(0); run process(1); run process(2); run process(3) }
}
