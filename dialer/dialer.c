/* SPDX-License-Identifier: ISC */
/*
 * dialer.c - the process that finds peers' addresses and connects to them: wiring.
 *
 * Relay names a peer domain; where that peer is (the domain itself, or what the configuration
 * says), and whether its address may be dialled, is decided here. The connected socket goes
 * back to relay, which itself may not call socket(2). The only process that may look at the
 * file system of the host (read only: resolv.conf, hosts, nsswitch.conf).
 * A request that cannot be served is answered with the reason; nothing remote is fatal.
 */
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/share.h"
#include "dialer/dial.h"
#include "dialer/dialer.h"
#include "dialer/resolve.h"
#include "ipc/msgs.h"
#include "wire/proto.h"

/* One request of relay that is being served. */
struct job {
	uint64_t id; /* of the request */
	char domain[ADDR_DOMAIN_MAX + 1];
};

static struct conf *conf, *next_conf; /* owned */
static struct dial_policy policy;
static struct {
	uint64_t connected, failed;
} count;

/* Reads the prefixes that may be dialled although they are private. */
static void
load_policy(void)
{
	policy.n = 0;
	for (size_t i = 0; i < conf_list_count(conf, CONF_DIALER_ALLOW_PRIVATE); i++) {
		const char *text = conf_list_str(conf, CONF_DIALER_ALLOW_PRIVATE, i);

		if (policy.n < DIAL_PREFIXES &&
		    net_prefix_parse(text, &policy.allowed[policy.n]))
			policy.n++;
	}
}

static int
dialer_start(void)
{
	conf = conf_share_get(proc_conf(), ROLE_DIALER);
	if (conf == NULL) {
		log_error("dialer.conf", "error=\"the configuration cannot be read\"");
		return -1;
	}
	load_policy();
	return 0;
}

static int
dialer_ready(void)
{
	resolve_init(proc_base());
	return 0;
}

static int
dialer_reload_prepare(void)
{
	conf_free(next_conf); /* of a reload that was given up */
	next_conf = conf_share_get(proc_conf_next(), ROLE_DIALER);
	return next_conf != NULL ? 0 : -1;
}

static void
dialer_reload_switch(void)
{
	conf_free(conf);
	conf = next_conf;
	next_conf = NULL;
	load_policy();
}

/* Where a peer is: the configuration's entry for it, or the domain itself. */
static bool
find_target(const char *domain, struct dial_target *target)
{
	struct conf_peer peer;
	const char *host = domain;

	memset(target, 0, sizeof(*target));
	target->port = (uint16_t)conf_u64(conf, CONF_DIALER_PORT);
	target->timeout_ms = conf_u64(conf, CONF_DIALER_TIMEOUT);
	if (conf_peer_find(conf, domain, &peer)) {
		if (peer.host != NULL)
			host = peer.host;
		target->port = peer.port;
		target->allow_private = peer.allow_private;
	}
	return text_copy(target->host, sizeof(target->host), span_str(host));
}

static void
answer_fail(uint64_t id, const char *domain, const char *text)
{
	struct m_connect_fail fail = {
	    .code = CODE_PEER_UNREACHABLE, .text = span_str(text)};
	struct channel *ch = proc_channel(ROLE_RELAY);

	count.failed++;
	log_info("dialer.fail", "peer=%s error=\"%s\"", log_str(domain), text);
	if (ch != NULL)
		channel_send(ch, MSG_CONNECT_FAIL, id, &fail, -1);
}

static void
on_dialled(void *arg, int fd, const struct net_addr *addr, const char *err)
{
	struct channel *ch = proc_channel(ROLE_RELAY);
	char text[NET_ADDR_TEXT_MAX];
	struct m_connected res;
	struct job *job = arg;

	if (fd == -1) {
		answer_fail(job->id, job->domain, err);
	} else if (ch == NULL) {
		close(fd);
	} else {
		res.addr = span_str(net_addr_text(addr, text));
		count.connected++;
		log_info("dialer.connect", "peer=%s addr=%s", log_str(job->domain), text);
		channel_send(ch, MSG_CONNECTED, job->id, &res, fd);
	}
	free(job);
}

static void
on_connect(struct channel *ch, struct channel_msg *msg)
{
	const struct m_connect *ask = msg->body;
	struct dial_target target;
	struct job *job = xcalloc(1, sizeof(*job));

	(void)ch;
	job->id = msg->id;
	if (!addr_domain_valid(ask->domain, NULL) ||
	    !text_copy(job->domain, sizeof(job->domain), ask->domain) ||
	    !find_target(job->domain, &target)) {
		answer_fail(msg->id, "?", "not a domain");
		free(job);
		return;
	}
	if (dial_start(proc_base(), &target, &policy, on_dialled, job) == NULL) {
		answer_fail(msg->id, job->domain, "too many attempts are under way");
		free(job);
	}
}

static void
dialer_status(struct buf *out)
{
	char *text = xasprintf("connected=%llu\nfailed=%llu\nlooking_up=%zu\n",
	    (unsigned long long)count.connected, (unsigned long long)count.failed,
	    resolve_count());

	buf_put(out, text, strlen(text));
	free(text);
}

static const struct proc_handler from_relay[] = {{MSG_CONNECT, on_connect}, {0, NULL}};
static const struct proc_peer peers[] = {{ROLE_RELAY, from_relay}, {ROLE_MASTER, NULL}};

const struct proc dialer_proc = {
    .role = ROLE_DIALER,
    .peers = peers,
    .start = dialer_start,
    .ready = dialer_ready,
    .reload_prepare = dialer_reload_prepare,
    .reload_switch = dialer_reload_switch,
    .status = dialer_status,
};
