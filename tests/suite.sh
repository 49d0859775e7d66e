#!/bin/sh
# SPDX-License-Identifier: ISC
# suite.sh - the driver of ./quickstart check: runs the suites of tests/suites.list in order and
# adds up what they report. A suite is a script; of its output these lines count, one each:
#   ok NAME            not ok NAME            skipped: WHAT, WHY
#   tally PASSED FAILED SKIPPED NAME     (for programs that only report sums)
# Lines "! TEXT" explain a failure. A suite that ends with another status than 0 and reported no failure is one failure itself.
#
# Arguments: names of suites (default: all). Environment: EMSG_LONG=1 runs the full counts,
# EMSG_WORK is where everything is built (default ./build-check), EMSG_JOBS the parallelism.
set -u

EMSG_SRC=$(cd "$(dirname "$0")/.." && pwd)
EMSG_WORK=${EMSG_WORK:-$EMSG_SRC/build-check}
EMSG_LONG=${EMSG_LONG:-0}
EMSG_JOBS=${EMSG_JOBS:-2}
export EMSG_SRC EMSG_WORK EMSG_LONG EMSG_JOBS
cd "$EMSG_SRC" || exit 1
mkdir -p "$EMSG_WORK/log" || exit 1

passed=0
failed=0
skipped=0

# wanted NAME LIST: LIST is empty or has NAME among its words.
wanted() {
	[ -z "$2" ] && return 0
	case " $2 " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

# count LOG: prints the three sums of a suite's output.
count() {
	awk '
	/^ok / { p++ }
	/^not ok / { f++ }
	/^skipped: / { s++ }
	/^tally [0-9]+ [0-9]+ [0-9]+ / { p += $2; f += $3; s += $4 }
	END { print p + 0, f + 0, s + 0 }' "$1"
}

# explain LOG: why a suite failed or skipped, for the reader of the terminal.
explain() {
	grep -E '^(not ok|skipped:|!) ' "$1" | head -n 200
}

run_suite() {
	name=$1
	shift
	log=$EMSG_WORK/log/$name.log
	printf '==> %s\n' "$name"
	begin=$(date +%s)
	"$@" >"$log" 2>&1 </dev/null
	status=$?
	seconds=$(($(date +%s) - begin))
	sums=$(count "$log")
	p=${sums%% *}
	s=${sums##* }
	f=${sums#* }
	f=${f%% *}
	if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
		echo "not ok $name: ended with status $status" >>"$log"
		f=1
	fi
	if [ $((p + f + s)) -eq 0 ]; then
		echo "not ok $name: reported nothing" >>"$log"
		f=1
	fi
	[ $((f + s)) -eq 0 ] || explain "$log"
	if [ "$status" -ne 0 ]; then
		echo "    the end of $log:"
		tail -n 40 "$log" | sed 's/^/    /'
	fi
	printf '    %s: %d passed, %d failed, %d skipped, %d s\n' "$name" "$p" "$f" "$s" "$seconds"
	passed=$((passed + p))
	failed=$((failed + f))
	skipped=$((skipped + s))
}

chosen=$*
while read -r name form command; do
	case "$name" in
	"" | "#"*) continue ;;
	esac
	wanted "$name" "$chosen" || continue
	[ "$form" = short ] || [ "$EMSG_LONG" -eq 1 ] || continue
	# shellcheck disable=SC2086 # the command is words
	run_suite "$name" $command
done <tests/suites.list

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
