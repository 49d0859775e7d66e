#!/bin/sh
# SPDX-License-Identifier: ISC
# check.sh gcc|clang - "make check" in that build, with real counts: what each program reports,
# not how many programs there are. The clang build (sanitizers) leaves the lint scripts out,
# which look at the sources and saw them in the first run.
set -u

kind=$1
cd "$EMSG_WORK/$kind" || exit 1
tests=$(make -s list-tests) || exit 1
if [ "$kind" = clang ]; then
	tests=$(echo "$tests" | grep -v '^tests/lint/')
fi
[ -n "$tests" ] || exit 1

# Old results must not be counted.
for t in $tests; do
	rm -f "${t%.*}.log" "${t%.*}.trs" "$t.log" "$t.trs"
done
# Sanitizers and a busy machine take their time.
export CK_TIMEOUT_MULTIPLIER=10
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
make -j"$EMSG_JOBS" check TESTS="$(echo "$tests" | tr '\n' ' ')"
status=$?

for t in $tests; do
	log=$t.log
	case "$t" in
	*.sh | *.py) log=${t%.*}.log ;;
	esac
	"$EMSG_SRC/tests/suite/tally.sh" "$t" "$log"
done
exit "$status"
