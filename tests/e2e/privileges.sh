#!/bin/sh
# SPDX-License-Identifier: ISC
# privileges.sh - the suite as root starts it after "make install": every process under its own
# user, caged, restarted alone, gone with its master. Needs root.
#
# shellcheck disable=SC2317 # functions that others call by their names
set -u

EMSG_SRC=${EMSG_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$EMSG_SRC/tests/e2e/lib.sh"
e2e_build

CHILDREN="store queue keyd dialer relay listener control"

# Installs the programs and writes a configuration with all its paths below EMSG_RUN, which
# is otherwise like that of the package.
install_suite() {
	chmod 755 "$EMSG_RUN" &&
		make -s -C "$EMSG_BUILD" install DESTDIR="$EMSG_RUN/inst" \
			>"$EMSG_RUN/install.log" 2>&1 || return 1
	SBIN=$(dirname "$(find "$EMSG_RUN/inst" -name emsgd -type f)")
	LIBEXEC=$(dirname "$(find "$EMSG_RUN/inst" -name emsg-keyd -type f)")
	port=$(test_port 0)
	mkdir "$EMSG_RUN/etc" "$EMSG_RUN/run" &&
		"$SBIN/emsgctl" -d "$EMSG_RUN/etc" -x "$SBIN" setup --domain im.alpha.test \
			--self-signed --host 127.0.0.1 --port "$port" >/dev/null || return 1
	CONF=$EMSG_RUN/etc/emsg.yaml
	SOCKET=$EMSG_RUN/run/control.sock
	cat >"$CONF" <<-TEXT
		version: 1
		domain: im.alpha.test
		listen: ["127.0.0.1:$port"]
		tls:
		  certificate: $EMSG_RUN/etc/tls/cert.pem
		  key: $EMSG_RUN/etc/tls/key.pem
		keys:
		  directory: $EMSG_RUN/etc/keys
		store:
		  directory: $EMSG_RUN/lib
		queue:
		  directory: $EMSG_RUN/spool
		  segment_size: 4MiB
		control:
		  socket: $SOCKET
		run:
		  directory: $EMSG_RUN/run
	TEXT
}

start_master() {
	"$SBIN/emsgd" -F -c "$CONF" -x "$LIBEXEC" </dev/null >/dev/null 2>>"$EMSG_RUN/log" &
	master=$!
	wait_until 20 tool status
}

tool() {
	"$SBIN/emsgctl" -s "$SOCKET" "$@"
}

# pid_of PROCESS
pid_of() {
	tool status --json | jq -r --arg name "$1" 'select(.name == $name) | .pid'
}

# field PID NAME: a line of /proc/PID/status without its name.
field() {
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"
}

# caged PROCESS USER: complains about all that is not as it should be.
caged() {
	pid=$(pid_of "$1")
	uid=$(id -u "$2")
	gid=$(id -g "$2")
	[ "$(field "$pid" Uid)" = "$(printf '%s\t%s\t%s\t%s' "$uid" "$uid" "$uid" "$uid")" ] ||
		echo "user ids $(field "$pid" Uid)"
	[ "$(field "$pid" Gid)" = "$(printf '%s\t%s\t%s\t%s' "$gid" "$gid" "$gid" "$gid")" ] ||
		echo "group ids $(field "$pid" Gid)"
	case $(field "$pid" Groups | tr -d ' ') in
	"" | "$gid") ;;
	*) echo "groups $(field "$pid" Groups)" ;;
	esac
	for set in CapInh CapPrm CapEff CapAmb; do
		[ "$(field "$pid" "$set")" = 0000000000000000 ] || echo "$set $(field "$pid" "$set")"
	done
	[ "$(field "$pid" Seccomp)" = 2 ] || echo "Seccomp $(field "$pid" Seccomp)"
	[ "$(field "$pid" NoNewPrivs)" = 1 ] || echo "NoNewPrivs $(field "$pid" NoNewPrivs)"
}

# rooted PROCESS: complains about its root directory.
rooted() {
	pid=$(pid_of "$1")
	root=$(readlink "/proc/$pid/root")
	case $1 in
	dialer) [ "$root" = / ] || echo "its root is $root" ;;
	store) [ "$root" = "$EMSG_RUN/lib" ] || echo "its root is $root" ;;
	queue) [ "$root" = "$EMSG_RUN/spool" ] || echo "its root is $root" ;;
	*)
		[ "$root" != / ] || echo "its root is /"
		[ -z "$(ls -A "/proc/$pid/root/")" ] || echo "its root is not empty"
		[ "$(stat -c '%u %a' "/proc/$pid/root/")" = "0 555" ] ||
			echo "its root is $(stat -c '%u %a' "/proc/$pid/root/")"
		;;
	esac
}

# opened PROCESS: complains about descriptors that it should not have: only sockets, pipes and
# the loop's own for those without files, and no descriptor of a file of anybody else.
opened() {
	pid=$(pid_of "$1")
	seen=0
	for fd in /proc/"$pid"/fd/*; do
		target=$(readlink "$fd") || continue
		seen=$((seen + 1))
		case $1:$target in
		*:socket:* | *:anon_inode:* | *:pipe:* | *:/dev/null) ;;
		*:"$EMSG_RUN/log") ;; # standard error
		store:"$EMSG_RUN/lib" | store:"$EMSG_RUN/lib"/*) ;;
		queue:"$EMSG_RUN/spool" | queue:"$EMSG_RUN/spool"/*) ;;
		store:/data.mdb | store:/lock.mdb | store:/ | queue:/ | queue:/*) ;;
		*) echo "holds $target" ;;
		esac
	done
	[ "$seen" -gt 0 ] || echo "its descriptors cannot be seen"
}

# restarts PROCESS: kills it and complains unless it alone comes back.
restarts() {
	before=$(tool status --json | jq -r '.name + " " + (.pid | tostring)')
	old=$(pid_of "$1")
	kill -9 "$old"
	wait_until 15 replaced "$1" "$old" || {
		echo "it did not come back"
		return
	}
	after=$(tool status --json | jq -r '.name + " " + (.pid | tostring)')
	changed=$(printf '%s\n%s\n' "$before" "$after" | sort | uniq -u | cut -d ' ' -f 1 | uniq)
	[ "$changed" = "$1" ] || echo "changed: $(echo "$changed" | tr '\n' ' ')"
}

# replaced PROCESS PID: it is ready under another number.
replaced() {
	new=$(pid_of "$1")
	[ -n "$new" ] && [ "$new" != "$2" ] && tool status
}

gone() {
	for pid in $children; do
		[ ! -d "/proc/$pid" ] || return 1
	done
}

# Runs a test that complains on standard output, for one process.
judge() {
	complaint=$("$2" "$3" ${4+"$4"} 2>&1 | tr '\n' ';')
	[ -z "$complaint" ]
	verdict "privileges: $1 of $3" $? "$complaint"
}

test_cage() {
	while read -r process user; do
		judge "user, rights and filter" caged "$process" "$user"
		judge "root directory" rooted "$process"
		judge "descriptors" opened "$process"
	done <<-TEXT
		store _emsgstore
		queue _emsgqueue
		keyd _emsgkeyd
		dialer _emsgdial
		relay _emsgrelay
		listener _emsglisten
		control _emsgctl
	TEXT
	[ "$(field "$master" Uid | cut -f 1)" = 0 ] && [ "$(field "$master" NoNewPrivs)" = 1 ] &&
		[ "$(field "$master" Seccomp)" = 2 ]
	verdict "privileges: master is root without new privileges, with a filter" $? \
		"NoNewPrivs $(field "$master" NoNewPrivs), Seccomp $(field "$master" Seccomp)"
	users=$(for process in $CHILDREN; do field "$(pid_of "$process")" Uid; done | sort -u |
		wc -l)
	[ "$users" -eq 7 ]
	verdict "privileges: seven processes, seven users" $? "$users users"
}

test_reload() {
	sed 's/segment_size: 4MiB/segment_size: 4MiB\n  lifetime: 2d/' "$CONF" >"$CONF.new" &&
		mv "$CONF.new" "$CONF"
	out=$(tool reload 2>&1)
	verdict "privileges: reload under dropped rights" $? "$out"
	sed 's/lifetime: 2d/life_time: 2d/' "$CONF" >"$CONF.new"
	cp "$CONF" "$CONF.good" && cp "$CONF.new" "$CONF"
	out=$(tool reload 2>&1)
	[ $? -eq 7 ] && echo "$out" | grep -q 'life_time: unknown key' && tool status >/dev/null
	verdict "privileges: a mistake changes nothing" $? "$out"
}

# With a mistake in its configuration emsgd ends at once, once, and says where.
test_mistake() {
	wait_until 10 test ! -d "/proc/$master"
	out=$(timeout 10 "$SBIN/emsgd" -F -c "$CONF" -x "$LIBEXEC" 2>&1 </dev/null)
	status=$?
	[ "$status" -eq 7 ] && [ "$(echo "$out" | grep -c life_time)" -eq 1 ]
	verdict "privileges: a mistake in the configuration does not loop" $? \
		"status $status: $out"
	cp "$CONF.good" "$CONF"
}

test_taken_port() {
	mkdir "$EMSG_RUN/second"
	"$SBIN/emsgctl" -d "$EMSG_RUN/second" -x "$SBIN" setup --domain im.beta.test \
		--self-signed --host 127.0.0.1 --port "$port" >/dev/null
	out=$(timeout 10 "$SBIN/emsgd" -F -d "$EMSG_RUN/second" -x "$LIBEXEC" 2>&1 </dev/null)
	status=$?
	[ "$status" -eq 7 ] && [ "$(echo "$out" | wc -l)" -eq 1 ] &&
		echo "$out" | grep -q "127.0.0.1:$port is taken"
	verdict "privileges: a taken port is one clear line" $? "status $status: $out"
}

test_master_death() {
	children=$(for process in $CHILDREN; do pid_of "$process"; done)
	kill -9 "$master"
	wait "$master" 2>/dev/null
	wait_until 15 gone
	verdict "privileges: the others end with their master" $? \
		"alive: $(for pid in $children; do cat "/proc/$pid/comm" 2>/dev/null; done)"
}

[ "$(id -u)" -eq 0 ] || {
	echo "skipped: privileges, only root can start the suite under its users"
	exit 0
}
e2e_run
if ! { system_users "$EMSG_SRC/debian/emsg-server.sysusers" && install_suite && start_master; }
then
	not_ok "privileges: start" "$(tail -n 5 "$EMSG_RUN/install.log" "$EMSG_RUN/log" | tr '\n' ' ')"
	exit 1
fi
test_cage
test_taken_port
for process in $CHILDREN; do
	judge "restart" restarts "$process"
	judge "cage after the restart" caged "$process" \
		"$(tool status --json | jq -r --arg n "$process" 'select(.name == $n) | .user')"
done
test_reload
test_master_death
test_mistake
start_master
verdict "privileges: a new start after master's death" $? "$(tail -n 3 "$EMSG_RUN/log")"
kill "$master" && wait "$master"
verdict "privileges: stop" $? "status of emsgd"
exit "${e2e_failed:-0}"
