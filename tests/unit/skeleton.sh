#!/bin/sh
# SPDX-License-Identifier: ISC
# skeleton.sh - emsgd and the skeleton of all processes, with ping_proc in the place of each
# program: start, channels, descriptors, sandbox, restart alone, accusation, reload in two
# phases, wrong configuration, stop, and the end of children whose master is gone.
set -u

build=${EMSG_BUILD:?}
# A leak checker traces its process, which no process of the suite is allowed to.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
dir=$(mktemp -d) || exit 1
log=$dir/log
master=
failed=0
count=0

trap '[ -z "$master" ] || kill -9 "$master" 2>/dev/null; rm -rf "$dir"' EXIT

report() { # report STATUS WHAT
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		echo "not ok $count - $2"
		sed 's/^/# /' "$log"
		failed=1
	fi
}

# wait_for PATTERN [N]: until the log has N lines (1) that match; at most 20 s.
wait_for() {
	for _ in $(seq 200); do
		[ "$(grep -c -- "$1" "$log")" -ge "${2:-1}" ] && return 0
		sleep 0.1
	done
	return 1
}

pid_of() { # the process id of the newest child with that name
	sed -n "s/.*ev=master.child process=$1 state=starting pid=//p" "$log" | tail -n 1
}

run_master() {
	: >"$log"
	(cd "$dir" && exec "$build/emsgd" -d "$dir" -x "$dir/bin") >>"$log" 2>&1 &
	master=$!
}

# Waits until the master has ended, at most 20 s; its exit status.
wait_master() {
	(sleep 20 && kill -9 "$master") 2>/dev/null &
	watchdog=$!
	wait "$master"
	status=$?
	kill "$watchdog" 2>/dev/null
	return "$status"
}

mkdir "$dir/bin" "$dir/keys" "$dir/tls" || exit 1
for role in store queue keyd dialer relay listener control; do
	ln -s "$build/ping_proc" "$dir/bin/emsg-$role"
done
for file in keys/domain-sign.pem keys/domain-document.cose tls/cert.pem tls/key.pem; do
	(umask 077 && echo "for the test" >"$dir/$file")
done
port=$((20000 + $$ % 20000))
cat >"$dir/emsg.yaml" <<X
version: 1
domain: im.alpha.test
listen: ["127.0.0.1:$port"]
tls:
  certificate: $dir/tls/cert.pem
  key: $dir/tls/key.pem
X
chmod 600 "$dir/emsg.yaml"

run_master
wait_for "ev=master.ready"
report $? "all processes become ready"
n=0
for role in store queue keyd dialer relay listener control; do
	grep -q '^Seccomp:.*2' "/proc/$(pid_of $role)/status" &&
		grep -q '^NoNewPrivs:.*1' "/proc/$(pid_of $role)/status" && n=$((n + 1))
done
[ "$n" -eq 7 ]
report $? "each is in its sandbox ($n)"
# Ten channels between neighbours have twenty ends.
wait_for "ev=ping.up" 22
report $? "all channels of the table exist"
grep -q "listener.*ev=ping.resource kind=1 name=127.0.0.1:$port open=1" "$log" &&
	grep -q "keyd.*ev=ping.resource kind=3 " "$log" &&
	[ "$(grep -c "ev=ping.resource kind=[345] " "$log")" -eq 3 ]
report $? "sockets and keys go to whom they belong only"

old=$(pid_of queue)
kill -9 "$old"
wait_for "process=queue state=ready" 2
report $? "a killed process is started again"
wait_for "store.*ev=ping.down peer=queue" && wait_for "store.*ev=ping.up peer=queue" 2 &&
	wait_for "listener.*ev=ping.up peer=queue" 2
report $? "its neighbours lose it and get it back"
[ "$(grep -c "process=store state=starting" "$log")" -eq 1 ]
report $? "they stay as they are"

kill -HUP "$master"
wait_for "ev=ping.switched conf=1 next=0" 7
report $? "reload: all prepare, all switch"
sed -i "s/im.alpha.test/im.beta.test/" "$dir/emsg.yaml"
kill -HUP "$master"
wait_for "ev=master.reload result=refused"
report $? "reload refuses what takes a restart"
[ "$(grep -c "ev=ping.switched" "$log")" -eq 7 ]
report $? "and changes nothing then"
sed -i "s/im.beta.test/im.alpha.test/" "$dir/emsg.yaml"

(cd "$dir" && "$build/emsgd" -d "$dir" -x "$dir/bin") >"$dir/second" 2>&1
[ $? -eq 1 ] && grep -q "another emsgd is running" "$dir/second"
report $? "a second master is refused"

kill -TERM "$master"
wait_master
report $? "SIGTERM ends it with 0"
order=$(sed -n 's/.*ev=master.child process=\([a-z]*\) state=gone.*status=0.*/\1/p' "$log" |
	tr '\n' ' ')
[ "$order" = "listener relay dialer queue store keyd control " ]
report $? "children stop in their order ($order)"

# One child claims that its neighbour broke the rules.
echo accuse >"$dir/order.relay"
run_master
wait_for "ev=master.offence process=[a-z]* by=relay" && wait_for "ev=master.kill"
report $? "who is accused is killed and started again"
rm "$dir/order.relay"
wait_for "ev=master.ready"
children=$(sed -n 's/.*ev=master.child process=[a-z]* state=starting pid=//p' "$log")
kill -9 "$master"
wait "$master" 2>/dev/null
alive=1
for _ in $(seq 50); do
	alive=0
	for pid in $children; do
		kill -0 "$pid" 2>/dev/null && alive=1
	done
	[ "$alive" -eq 0 ] && break
	sleep 0.1
done
report "$alive" "children end by themselves when the master is killed"

echo refuse >"$dir/order.keyd"
run_master
wait_for "ev=master.ready"
kill -HUP "$master"
wait_for "ev=master.reload result=refused" && ! grep -q "ev=ping.switched" "$log"
report $? "one refusal stops a reload"
kill -TERM "$master"
wait_master

echo config >"$dir/order.keyd"
run_master
wait_master
[ $? -eq 7 ]
report $? "a configuration that a process cannot use ends the start with 7"
rm "$dir/order.keyd"

mv "$dir/tls/cert.pem" "$dir/tls/gone.pem"
run_master
wait_master
[ $? -eq 7 ] && grep -q "cert.pem: No such file" "$log"
report $? "a missing file is one clear line and 7"
master=

echo "1..$count"
exit "$failed"
