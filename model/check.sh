#!/bin/bash
# Checks model/order.pml and model/death.pml with Spin: every configuration must hold, and in every mutant (a law broken on purpose) Spin must
# find an error. README.md says what each is. Prints `N passed, N failed` at its end.
#
#   model/check.sh              all of it, two at a time
#   model/check.sh NAME…        these only, e.g. `crash`, `mutant-7` or `death-mutant-7`; the trail of an error is printed
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# kind | name | options of the model | what it is. What is called death… is of death.pml
jobs() {
	cat <<'END'
holds|input|-DSUBSCRIBERS=1 -DASKS -DINTERRUPTS -DSHUTDOWN_AT_ANY_TIME -DACTIONS=1|questions to the user, answers late or never
holds|child|-DSUBSCRIBERS=1 -DFORKS -DCRASHES=1|a child that outlives its cell
holds|shutdown|-DSUBSCRIBERS=1 -DSHUTDOWN_AT_ANY_TIME -DCRASHES=1 -DACTIONS=1|shutdown at any time, a death besides
holds|shutdown-output|-DSUBSCRIBERS=1 -DSHUTDOWN_AT_ANY_TIME|shutdown at any time, more output
holds|base||two cells, a slow and a dying subscriber
holds|crash|-DCRASHES=1 -DACTIONS=1|the session dies at any point
holds|crash-twice|-DSUBSCRIBERS=1 -DCRASHES=2|and again
holds|memory|-DSUBSCRIBERS=1 -DACTIONS=6 -DBOUND=9|what waits for a subscriber does not grow with the output
holds|interrupt|-DSUBSCRIBERS=1 -DINTERRUPTS -DCRASHES=1|an interrupt at any time
holds|hang|-DSUBSCRIBERS=1 -DHANGS=1|a cell that only an interrupt ends
holds|hang-shutdown|-DSUBSCRIBERS=1 -DHANGS=2 -DINTERRUPTS -DSHUTDOWN_AT_ANY_TIME|a cell that only SIGKILL ends
holds|quit|-DSUBSCRIBERS=1 -DQUITS -DCRASHES=1|q() in a cell
acyclic|base-ends|-DSUBSCRIBERS=1|no run goes in a circle
acyclic|crash-ends|-DSUBSCRIBERS=1 -DCRASHES=1 -DACTIONS=1|the same when the session dies
acyclic|hang-ends|-DSUBSCRIBERS=1 -DHANGS=1|the same with an interrupt
acyclic|shutdown-ends|-DSUBSCRIBERS=1 -DSHUTDOWN_AT_ANY_TIME -DACTIONS=1|the same with shutdown at any time
fails|mutant-1|-DSUBSCRIBERS=1|a frame does not empty the pipes
fails|mutant-2|-DSUBSCRIBERS=1|the session does not wait for the acknowledgement
fails|mutant-3|-DSUBSCRIBERS=1|the reply is acted upon before the pipes are emptied
fails|mutant-4|-DSUBSCRIBERS=1|messages are dropped for a slow subscriber
fails|mutant-5|-DSUBSCRIBERS=1|gathered text is not published before a display
fails|mutant-6|-DSUBSCRIBERS=1|no rendezvous between stdout and stderr
fails|mutant-7|-DSUBSCRIBERS=1 -DINTERRUPTS|interrupts have no number
fails|mutant-8|-DSUBSCRIBERS=1|pipes are read at frames only
fails|mutant-9|-DSUBSCRIBERS=1 -DCRASHES=1|the pipes of a dead session are not emptied
fails|mutant-10|-DSUBSCRIBERS=1 -DCRASHES=1|the frames of a dead session are not read
fails|mutant-11||a stuck subscriber is waited for without end
fails|mutant-12|-DSUBSCRIBERS=1 -DHANGS=2 -DSHUTDOWN_AT_ANY_TIME|shutdown waits for the session without end
fails|mutant-13|-DSUBSCRIBERS=1 -DCRASHES=1|the request of a dead session is not answered
fails|mutant-14|-DSUBSCRIBERS=1 -DSHUTDOWN_AT_ANY_TIME|requests that wait are not answered at shutdown
fails|mutant-15|-DSUBSCRIBERS=1|a request is given while another runs
fails|mutant-16|-DSUBSCRIBERS=1 -DACTIONS=6 -DBOUND=9|no back-pressure
fails|mutant-17|-DSUBSCRIBERS=1 -DASKS -DINTERRUPTS -DSHUTDOWN_AT_ANY_TIME -DACTIONS=1|the kernel passes any answer on
fails|mutant-18|-DSUBSCRIBERS=1 -DASKS -DINTERRUPTS -DSHUTDOWN_AT_ANY_TIME -DACTIONS=1|the session takes any answer
fails|mutant-19|-DSUBSCRIBERS=1|the acknowledgement comes before the act
fails|mutant-20|-DSUBSCRIBERS=1 -DHANGS=1|an interrupt that comes before its request is forgotten
fails|mutant-21|-DSUBSCRIBERS=1 -DCRASHES=1|a dead session is not started again
fails|mutant-22|-DSUBSCRIBERS=1 -DSHUTDOWN_AT_ANY_TIME|the kernel ends without waiting for the session
holds|death-any||any process dies at any point
holds|death-twice|-DCRASHES=2 -DCELLS=1|twice: also at the start, up to the limit, and of copies that are woken
holds|death-promise|-DALWAYS|with a copy before each cell, a cell that dies costs itself alone
holds|death-undo|-DUNDOES=1 -DCRASHES=0 -DCELLS=3|undo in a cell
holds|death-undo-crash|-DUNDOES=1 -DCELLS=1|undo, and a death of whom it needs
holds|death-undo-idle|-DUNDOES=2 -DCRASHES=0|undo by code outside of any request
holds|death-abandon|-DHANGS=2 -DABANDONS -DCRASHES=0|a cell that the user gives up
holds|death-abandon-crash|-DHANGS=1 -DABANDONS -DCELLS=1|the same, and a death
holds|death-quit|-DQUITS -DCELLS=1|q(), and a death
holds|death-shutdown|-DSHUTDOWN_AT_ANY_TIME -DCELLS=1|shutdown at any time, and a death
holds|death-kernel|-DKERNEL_DIES -DCRASHES=0 -DCELLS=1|the kernel process is killed
acyclic|death-ends|-DCELLS=1|no run goes in a circle
acyclic|death-undo-ends|-DUNDOES=1 -DCRASHES=0|the same with undo
fails|death-mutant-1|-DHANGS=1 -DABANDONS -DCRASHES=0 -DCELLS=1|the copy is woken before the session is gone
fails|death-mutant-2||the copy is made when the cell has begun
fails|death-mutant-3|-DALWAYS|a new copy does not take the place of the old one
fails|death-mutant-4||the cell that runs is counted as one that the copy has
fails|death-mutant-5|-DCRASHES=0 -DCELLS=1|copies are not let go when the kernel ends
fails|death-mutant-6|-DCELLS=1|a copy holds the other end of its own link
fails|death-mutant-7|-DCELLS=1|frames of the dead session are taken for the next one's
fails|death-mutant-8|-DCELLS=1|a frame that death cut off stays in the reader
fails|death-mutant-9|-DCELLS=1|the pipes of a dead session are not emptied
fails|death-mutant-10|-DCRASHES=2 -DCELLS=1|a copy is woken without a look whether it lives
fails|death-mutant-11|-DCRASHES=2 -DCELLS=1|the death of a copy that is being woken is not seen
fails|death-mutant-12|-DCELLS=1|the request of a session that was replaced is not answered
fails|death-mutant-13|-DCRASHES=3 -DCELLS=1|starts without a limit
fails|death-mutant-14|-DCRASHES=2 -DCELLS=1|without a session, requests wait for ever
fails|death-mutant-15|-DUNDOES=1 -DCRASHES=0 -DCELLS=3|undo never takes the newest copy
fails|death-mutant-16|-DCRASHES=2 -DCELLS=1|an older copy does not stand in for a dead one
fails|death-mutant-17|-DCRASHES=3 -DCELLS=1|after too many deaths the copies stay
fails|death-mutant-18|-DUNDOES=2 -DCRASHES=0|a session that is ended is given requests
fails|death-mutant-19|-DUNDOES=2 -DCRASHES=0|undo answers whatever runs with ok
fails|death-mutant-20|-DCELLS=1|the frames of a dead session are not read
END
}

# The C compiler's flags and the verifier's, for each kind. Mutants fail early: there compiling is what takes the time.
one() {
	IFS='|' read -r kind name options what <<<"$1"
	mkdir "$work/$name" && cd "$work/$name" || return
	compile="-O1 -DSAFETY" run=""
	case $kind in
	fails) options="-DMUTANT=${name##*mutant-} $options" compile="-O0 -DSAFETY" ;;
	acyclic) compile="-O1 -DNP -DNOFAIR" run="-l" ;;
	esac
	model=$here/order.pml
	case $name in death*) model=$here/death.pml ;; esac
	begin=$SECONDS
	# shellcheck disable=SC2086
	if ! spin $options -a "$model" >spin.log 2>&1 || grep -q 'Error' spin.log || [ ! -f pan.c ] ||
		! gcc $compile -w -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=3000 -o pan pan.c >gcc.log 2>&1; then
		echo "FAIL $name: does not compile"
		cat spin.log gcc.log 2>/dev/null
		return
	fi
	timeout 300 ./pan $run -n -m100000 >pan.log 2>&1
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.log)
	why=$(sed -n 's/^pan:1: *//p' pan.log | head -1)
	if grep -qE 'max search depth|out of memory|MEMLIM|not completed' pan.log && [ -z "$why" ] || ! grep -q 'errors: ' pan.log; then
		result=unfinished
	elif grep -q 'errors: 0' pan.log; then
		result=holds
	else
		result=fails
	fi
	want=$kind
	[ "$kind" = acyclic ] && want=holds
	if [ "$result" = "$want" ]; then
		printf 'ok   %-20s %9s states %3d s  %s%s\n' "$name" "$states" $((SECONDS - begin)) "$what" "${why:+ [$why]}"
	else
		printf 'FAIL %-20s %9s states %3d s  %s: it %s%s\n' "$name" "$states" $((SECONDS - begin)) "$what" "$result" "${why:+ [$why]}"
	fi
	if [ -n "${SHOW:-}" ] && [ -n "$why" ]; then
		# shellcheck disable=SC2086
		spin -t -p -k ./*.trail $options "$model" | cut -c1-160
	fi
	rm -f pan
}

if [ "${ONE:-}" ]; then
	work=$ONE
	trap - EXIT
	one "$1"
	exit
fi
list=$(jobs)
if [ $# -gt 0 ]; then
	export SHOW=1
	list=$(for name in "$@"; do jobs | grep "^[a-z]*|$name|" || echo "none|$name||"; done)
fi
printf '%s\n' "$list" | ONE=$work xargs -d '\n' -P 2 -n 1 "$0" | tee "$work/results"
passed=$(grep -c '^ok ' "$work/results")
failed=$(($(printf '%s\n' "$list" | wc -l) - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
