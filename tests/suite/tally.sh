#!/bin/sh
# SPDX-License-Identifier: ISC
# tally.sh TEST LOG - what one test of "make check" reported, in the driver's form. A program of
# the check library gives its sums, a script its own lines; a test that ended badly without
# saying why counts as one failure, one that reports nothing counts by its result alone.
set -u

name=$1
log=$2
trs=${log%.log}.trs
[ -r "$log" ] || log=/dev/null
result=$(sed -n 's/^:test-result: *\([A-Z]*\).*/\1/p' "$trs" 2>/dev/null | head -n 1)

awk -v name="$name" -v result="${result:-MISSING}" '
/^[0-9]+%: Checks: / {
	gsub(/[,:]/, "")
	checks += $3; bad += $5 + $7; sums = 1
	next
}
/^(ok|not ok|skipped:) / {
	if (/^ok/) p++
	else if (/^not ok/) f++
	else s++
	print
	next
}
/:[0-9]+:[FE]:/ { why[++n] = "! " $0 }
/^! / { why[++n] = $0 }
END {
	for (i = 1; i <= n && i <= 50; i++) print why[i]
	if (sums) print "tally", checks - bad, bad, 0, name
	if (result == "SKIP" && !s) print "skipped: " name ", it said so"
	else if (result == "PASS" && !sums && p + f + s == 0) print "ok " name
	else if (result != "PASS" && result != "SKIP" && bad + f == 0)
		print "not ok " name " (" result ")"
}' "$log"
