#!/bin/bash
# Checks model/order.pml with Spin: every configuration must hold, and in every mutant (a law broken on purpose) Spin must
# find an error. README.md says what each is. Prints `N passed, N failed` at its end.
#
#   model/check.sh              all of it, two at a time
#   model/check.sh NAME…        these only, e.g. `crash` or `mutant-7`; the trail of an error is printed
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# kind | name | options of the model | what it is
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
END
}

# The C compiler's flags and the verifier's, for each kind. Mutants fail early: there compiling is what takes the time.
one() {
	IFS='|' read -r kind name options what <<<"$1"
	mkdir "$work/$name" && cd "$work/$name" || return
	compile="-O1 -DSAFETY" run=""
	case $kind in
	fails) options="-DMUTANT=${name#mutant-} $options" compile="-O0 -DSAFETY" ;;
	acyclic) compile="-O1 -DNP -DNOFAIR" run="-l" ;;
	esac
	begin=$SECONDS
	# shellcheck disable=SC2086
	if ! spin $options -a "$here/order.pml" >spin.log 2>&1 || grep -q 'Error' spin.log || [ ! -f pan.c ] ||
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
		printf 'ok   %-16s %9s states %3d s  %s%s\n' "$name" "$states" $((SECONDS - begin)) "$what" "${why:+ [$why]}"
	else
		printf 'FAIL %-16s %9s states %3d s  %s: it %s%s\n' "$name" "$states" $((SECONDS - begin)) "$what" "$result" "${why:+ [$why]}"
	fi
	if [ -n "${SHOW:-}" ] && [ -n "$why" ]; then
		# shellcheck disable=SC2086
		spin -t -p -k ./*.trail $options "$here/order.pml" | cut -c1-160
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
