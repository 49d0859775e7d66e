/* SPDX-License-Identifier: ISC */
/*
 * msg.c - THE table of messages between processes.
 *
 * Read it as the wiring diagram of the suite: who may say what to whom, how large, with a
 * descriptor or not. channel.c refuses anything that is not here; msg_channel_exists()
 * derives the set of socketpairs that the master makes; tests round-trip every row.
 * Pure data and look-ups; nothing here can fail.
 */
#include "config.h"

#include <stddef.h>

#include "ipc/msg.h"
#include "ipc/msgs.h"

#define U8(s, m, t)                                                                      \
	{                                                                                \
#m, FIELD_U8, offsetof(struct s, m), 0, 0, t                             \
	}
#define U16(s, m)                                                                        \
	{                                                                                \
#m, FIELD_U16, offsetof(struct s, m), 0, 0, 0                            \
	}
#define U32(s, m)                                                                        \
	{                                                                                \
#m, FIELD_U32, offsetof(struct s, m), 0, 0, 0                            \
	}
#define U64(s, m)                                                                        \
	{                                                                                \
#m, FIELD_U64, offsetof(struct s, m), 0, 0, 0                            \
	}
#define FIXED(s, m, n)                                                                   \
	{                                                                                \
#m, FIELD_FIXED, offsetof(struct s, m), 0, n, 0                          \
	}
#define SPAN(s, m, lo, hi)                                                               \
	{                                                                                \
#m, FIELD_SPAN, offsetof(struct s, m), lo, hi, 0                         \
	}
#define END                                                                              \
	{                                                                                \
		NULL, FIELD_U8, 0, 0, 0, 0                                               \
	}

/* Limits of single fields, in bytes. */
enum {
	PATH_BYTES = 4096,
	TEXT_BYTES = 512, /* a reason, for people */
	DOMAIN_BYTES = 253,
	ACCOUNT_BYTES = 318,     /* 64 + '#' + 253 */
	ADDR_BYTES = 64,         /* "[2001:db8::1]:443" */
	AUTH_BYTES = 4096,       /* the limit before login */
	CONF_BYTES = 256 * 1024, /* CONF_SHARE_MAX */
	DOCUMENT_BYTES = 16384,
	SIGN_BYTES = 256, /* a TLS 1.3 CertificateVerify content has at most 146 */
	OBJECT_BYTES = 4096,
	ROW_BYTES = 16384,
};

static const struct field f_empty[] = {U8(m_empty, zero, 0), END};
static const struct field f_boot[] = {U64(m_boot, generation), U8(m_boot, role, 0),
    U8(m_boot, privileged, 1), U8(m_boot, sandbox, 1), U8(m_boot, log_level, 3),
    SPAN(m_boot, user, 0, 64), SPAN(m_boot, root, 0, PATH_BYTES),
    SPAN(m_boot, data, 0, PATH_BYTES), END};
static const struct field f_conf[] = {
    U64(m_conf, number), SPAN(m_conf, values, 0, CONF_BYTES), END};
static const struct field f_conf_ok[] = {U64(m_conf_ok, number), U8(m_conf_ok, ok, 1),
    SPAN(m_conf_ok, text, 0, TEXT_BYTES), END};
static const struct field f_conf_switch[] = {U64(m_conf_switch, number), END};
static const struct field f_resource[] = {
    U8(m_resource, kind, RESOURCE_CA), SPAN(m_resource, name, 0, PATH_BYTES), END};
static const struct field f_peer[] = {U8(m_peer, role, ROLE_COUNT - 1), END};
static const struct field f_offence[] = {
    U8(m_offence, role, ROLE_COUNT - 1), SPAN(m_offence, text, 0, TEXT_BYTES), END};
static const struct field f_status[] = {SPAN(m_status, text, 0, ROW_BYTES), END};
static const struct field f_log_level[] = {U8(m_log_level, level, 3), END};

static const struct field f_ctl_ask[] = {U16(m_ctl_ask, command), U32(m_ctl_ask, uid),
    SPAN(m_ctl_ask, args, 0, ROW_BYTES), END};
static const struct field f_ctl_row[] = {
    U16(m_ctl_row, kind), SPAN(m_ctl_row, row, 0, ROW_BYTES), END};
static const struct field f_ctl_end[] = {
    U16(m_ctl_end, code), SPAN(m_ctl_end, text, 0, TEXT_BYTES), END};

static const struct field f_nonce[] = {FIXED(m_nonce, nonce, 32), END};
static const struct field f_login[] = {U64(m_login, link), FIXED(m_login, nonce, 32),
    FIXED(m_login, exporter, 32), SPAN(m_login, addr, 0, ADDR_BYTES),
    SPAN(m_login, auth, 1, AUTH_BYTES), END};
static const struct field f_login_res[] = {U64(m_login_res, link),
    U64(m_login_res, handle), U16(m_login_res, code),
    SPAN(m_login_res, welcome, 0, AUTH_BYTES), END};
static const struct field f_peer_auth[] = {U64(m_peer_auth, link),
    FIXED(m_peer_auth, nonce, 32), FIXED(m_peer_auth, exporter, 32),
    SPAN(m_peer_auth, addr, 0, ADDR_BYTES), SPAN(m_peer_auth, auth, 1, AUTH_BYTES), END};
static const struct field f_peer_auth_res[] = {U64(m_peer_auth_res, link),
    U64(m_peer_auth_res, handle), U16(m_peer_auth_res, code),
    FIXED(m_peer_auth_res, nonce, 32), SPAN(m_peer_auth_res, domain, 0, DOMAIN_BYTES),
    SPAN(m_peer_auth_res, text, 0, TEXT_BYTES), END};
static const struct field f_req[] = {
    U64(m_req, handle), U64(m_req, link), SPAN(m_req, req, 1, MSG_REQ_MAX), END};
static const struct field f_res[] = {
    U64(m_res, link), SPAN(m_res, res, 1, MSG_REQ_MAX), END};
static const struct field f_put[] = {
    U64(m_put, handle), SPAN(m_put, put, 1, MSG_ITEM_MAX), END};
static const struct field f_put_res[] = {SPAN(m_put_res, result, 1, MSG_RESULT_MAX), END};
static const struct field f_push[] = {
    U64(m_push, handle), U64(m_push, seq), SPAN(m_push, push, 1, MSG_ITEM_MAX), END};
static const struct field f_done[] = {U64(m_done, handle), U64(m_done, seq), END};
static const struct field f_credit[] = {
    U64(m_credit, handle), U64(m_credit, bytes), U64(m_credit, items), END};
static const struct field f_event[] = {
    U64(m_event, handle), SPAN(m_event, event, 1, OBJECT_BYTES), END};
static const struct field f_handle[] = {U64(m_handle, handle), U16(m_handle, code), END};

static const struct field f_submit[] = {
    U64(m_submit, handle), SPAN(m_submit, put, 1, MSG_ITEM_MAX), END};
static const struct field f_submit_res[] = {
    SPAN(m_submit_res, result, 1, MSG_RESULT_MAX), END};

static const struct field f_tls_sign[] = {
    FIXED(m_tls_sign, key, 32), SPAN(m_tls_sign, content, 1, SIGN_BYTES), END};
static const struct field f_signed[] = {
    U16(m_signed, code), SPAN(m_signed, bytes, 0, DOCUMENT_BYTES), END};
static const struct field f_prove[] = {SPAN(m_prove, peer, 0, DOMAIN_BYTES),
    FIXED(m_prove, nonce_dialler, 32), FIXED(m_prove, nonce_acceptor, 32),
    FIXED(m_prove, exporter, 32), END};
static const struct field f_doc_own[] = {
    SPAN(m_doc_own, document, 1, DOCUMENT_BYTES), END};

static const struct field f_handle_add[] = {U64(m_handle_add, handle),
    U8(m_handle_add, kind, HANDLE_PEER), FIXED(m_handle_add, device, 16),
    SPAN(m_handle_add, name, 1, ACCOUNT_BYTES), END};
static const struct field f_fate[] = {FIXED(m_fate, mid, 16), FIXED(m_fate, device, 16),
    U8(m_fate, state, 0), U16(m_fate, code), U64(m_fate, time),
    SPAN(m_fate, account, 1, ACCOUNT_BYTES), SPAN(m_fate, recipient, 1, ACCOUNT_BYTES),
    SPAN(m_fate, text, 0, TEXT_BYTES), END};

static const struct field f_send[] = {U64(m_send, qid), U64(m_send, fifo),
    U8(m_send, restart, 1), SPAN(m_send, domain, 1, DOMAIN_BYTES),
    SPAN(m_send, put, 1, MSG_ITEM_MAX), END};
static const struct field f_sent[] = {
    U64(m_sent, qid), SPAN(m_sent, result, 1, MSG_RESULT_MAX), END};
static const struct field f_send_fail[] = {U64(m_send_fail, qid), U16(m_send_fail, code),
    SPAN(m_send_fail, text, 0, TEXT_BYTES), END};
static const struct field f_peer_up[] = {SPAN(m_peer_up, domain, 1, DOMAIN_BYTES),
    U64(m_peer_up, items), U64(m_peer_up, bytes), END};
static const struct field f_peer_down[] = {U8(m_peer_down, orderly, 1),
    U16(m_peer_down, code), SPAN(m_peer_down, domain, 1, DOMAIN_BYTES),
    SPAN(m_peer_down, text, 0, TEXT_BYTES), END};

static const struct field f_domain[] = {SPAN(m_domain, domain, 1, DOMAIN_BYTES), END};
static const struct field f_doc[] = {U16(m_doc, code), U8(m_doc, webpki, 1),
    SPAN(m_doc, domain, 1, DOMAIN_BYTES), SPAN(m_doc, document, 0, DOCUMENT_BYTES),
    SPAN(m_doc, text, 0, TEXT_BYTES), END};
static const struct field f_peer_check[] = {U64(m_peer_check, link),
    U8(m_peer_check, webpki, 1), FIXED(m_peer_check, nonce_dialler, 32),
    FIXED(m_peer_check, nonce_acceptor, 32), FIXED(m_peer_check, exporter, 32),
    SPAN(m_peer_check, domain, 1, DOMAIN_BYTES),
    SPAN(m_peer_check, welcome, 1, AUTH_BYTES), END};
static const struct field f_peer_check_res[] = {U64(m_peer_check_res, link),
    U16(m_peer_check_res, code), SPAN(m_peer_check_res, text, 0, TEXT_BYTES), END};
static const struct field f_query[] = {
    SPAN(m_query, domain, 1, DOMAIN_BYTES), SPAN(m_query, req, 1, MSG_REQ_MAX), END};
static const struct field f_query_res[] = {SPAN(m_query_res, res, 1, MSG_REQ_MAX), END};

static const struct field f_connect[] = {SPAN(m_connect, domain, 1, DOMAIN_BYTES), END};
static const struct field f_connected[] = {SPAN(m_connected, addr, 1, ADDR_BYTES), END};
static const struct field f_connect_fail[] = {
    U16(m_connect_fail, code), SPAN(m_connect_fail, text, 0, TEXT_BYTES), END};

#define MASTER ROLE_BIT(ROLE_MASTER)
#define STORE ROLE_BIT(ROLE_STORE)
#define QUEUE ROLE_BIT(ROLE_QUEUE)
#define KEYD ROLE_BIT(ROLE_KEYD)
#define DIALER ROLE_BIT(ROLE_DIALER)
#define RELAY ROLE_BIT(ROLE_RELAY)
#define LISTENER ROLE_BIT(ROLE_LISTENER)
#define CONTROL ROLE_BIT(ROLE_CONTROL)
#define CHILDREN (STORE | QUEUE | KEYD | DIALER | RELAY | LISTENER | CONTROL)
#define ADMIN (MASTER | STORE | QUEUE | KEYD)

#define ROW(t, name, from, to, flags, fields, type)                                      \
	{                                                                                \
		t, name, from, to, flags, fields, sizeof(struct type)                    \
	}

static const struct msg_def table[] = {
    ROW(MSG_BOOT, "boot", MASTER, CHILDREN, 0, f_boot, m_boot),
    ROW(MSG_CONF, "conf", MASTER, CHILDREN, 0, f_conf, m_conf),
    ROW(MSG_CONF_OK, "conf-ok", CHILDREN, MASTER, 0, f_conf_ok, m_conf_ok),
    ROW(MSG_CONF_SWITCH, "conf-switch", MASTER, CHILDREN, 0, f_conf_switch,
	m_conf_switch),
    ROW(MSG_RESOURCE, "resource", MASTER, CHILDREN, MSG_FD, f_resource, m_resource),
    ROW(MSG_PEER, "peer", MASTER, CHILDREN, MSG_FD, f_peer, m_peer),
    ROW(MSG_START, "start", MASTER, CHILDREN, 0, f_empty, m_empty),
    ROW(MSG_READY, "ready", CHILDREN, MASTER, 0, f_empty, m_empty),
    ROW(MSG_STOP, "stop", MASTER, CHILDREN, 0, f_empty, m_empty),
    ROW(MSG_OFFENCE, "offence", CHILDREN, MASTER, 0, f_offence, m_offence),
    ROW(MSG_STATUS_ASK, "status-ask", MASTER, CHILDREN, 0, f_empty, m_empty),
    ROW(MSG_STATUS, "status", CHILDREN, MASTER, 0, f_status, m_status),
    ROW(MSG_LOG_LEVEL, "log-level", MASTER, CHILDREN, 0, f_log_level, m_log_level),

    ROW(MSG_CTL_ASK, "ctl-ask", CONTROL, ADMIN, 0, f_ctl_ask, m_ctl_ask),
    ROW(MSG_CTL_ROW, "ctl-row", ADMIN, CONTROL, 0, f_ctl_row, m_ctl_row),
    ROW(MSG_CTL_END, "ctl-end", ADMIN, CONTROL, 0, f_ctl_end, m_ctl_end),
    ROW(MSG_CTL_CANCEL, "ctl-cancel", CONTROL, ADMIN, 0, f_empty, m_empty),

    ROW(MSG_NONCE_ASK, "nonce-ask", LISTENER, STORE, 0, f_empty, m_empty),
    ROW(MSG_NONCE, "nonce", STORE, LISTENER, 0, f_nonce, m_nonce),
    ROW(MSG_LOGIN, "login", LISTENER, STORE, MSG_WORK, f_login, m_login),
    ROW(MSG_LOGIN_RES, "login-res", STORE, LISTENER, 0, f_login_res, m_login_res),
    ROW(MSG_PEER_AUTH, "peer-auth", LISTENER, STORE, MSG_WORK, f_peer_auth, m_peer_auth),
    ROW(MSG_PEER_AUTH_RES, "peer-auth-res", STORE, LISTENER, 0, f_peer_auth_res,
	m_peer_auth_res),
    ROW(MSG_REQ, "req", LISTENER, STORE, MSG_WORK, f_req, m_req),
    ROW(MSG_RES, "res", STORE, LISTENER, 0, f_res, m_res),
    ROW(MSG_PUT, "put", LISTENER, STORE, MSG_WORK, f_put, m_put),
    ROW(MSG_PUT_RES, "put-res", STORE, LISTENER, 0, f_put_res, m_put_res),
    ROW(MSG_PUSH, "push", STORE, LISTENER, 0, f_push, m_push),
    ROW(MSG_DONE, "done", LISTENER, STORE, 0, f_done, m_done),
    ROW(MSG_CREDIT, "credit", LISTENER, STORE, 0, f_credit, m_credit),
    ROW(MSG_EVENT, "event", STORE, LISTENER, 0, f_event, m_event),
    ROW(MSG_LINK_END, "link-end", LISTENER, STORE, 0, f_handle, m_handle),
    ROW(MSG_REVOKE, "revoke", STORE, LISTENER, 0, f_handle, m_handle),

    ROW(MSG_SUBMIT, "submit", LISTENER, QUEUE, MSG_WORK, f_submit, m_submit),
    ROW(MSG_SUBMIT_RES, "submit-res", QUEUE, LISTENER, 0, f_submit_res, m_submit_res),

    ROW(MSG_TLS_SIGN, "tls-sign", LISTENER, KEYD, 0, f_tls_sign, m_tls_sign),
    ROW(MSG_SIGNED, "signed", KEYD, LISTENER | RELAY, 0, f_signed, m_signed),
    ROW(MSG_PROVE_ACCEPT, "prove-accept", LISTENER, KEYD, 0, f_prove, m_prove),
    ROW(MSG_PROVE_SERVER, "prove-server", LISTENER, KEYD, 0, f_prove, m_prove),
    ROW(MSG_PROVE_DIAL, "prove-dial", RELAY, KEYD, 0, f_prove, m_prove),
    ROW(MSG_DOC_OWN, "doc-own", KEYD, LISTENER | STORE, 0, f_doc_own, m_doc_own),

    ROW(MSG_HANDLE_ADD, "handle-add", STORE, QUEUE, 0, f_handle_add, m_handle_add),
    ROW(MSG_HANDLE_OK, "handle-ok", QUEUE, STORE, 0, f_handle, m_handle),
    ROW(MSG_HANDLE_DEL, "handle-del", STORE, QUEUE, 0, f_handle, m_handle),
    ROW(MSG_FATE, "fate", QUEUE, STORE, MSG_WORK, f_fate, m_fate),
    ROW(MSG_FATE_OK, "fate-ok", STORE, QUEUE, 0, f_empty, m_empty),

    ROW(MSG_SEND, "send", QUEUE, RELAY, MSG_WORK, f_send, m_send),
    ROW(MSG_SENT, "sent", RELAY, QUEUE, 0, f_sent, m_sent),
    ROW(MSG_SEND_FAIL, "send-fail", RELAY, QUEUE, 0, f_send_fail, m_send_fail),
    ROW(MSG_PEER_UP, "peer-up", RELAY, QUEUE, 0, f_peer_up, m_peer_up),
    ROW(MSG_PEER_DOWN, "peer-down", RELAY, QUEUE, 0, f_peer_down, m_peer_down),
    ROW(MSG_PEER_NOTED, "peer-noted", QUEUE, RELAY, 0, f_domain, m_domain),

    ROW(MSG_DOC_FETCH, "doc-fetch", STORE, RELAY, MSG_WORK, f_domain, m_domain),
    ROW(MSG_DOC, "doc", RELAY, STORE, 0, f_doc, m_doc),
    ROW(MSG_PEER_CHECK, "peer-check", RELAY, STORE, MSG_WORK, f_peer_check, m_peer_check),
    ROW(MSG_PEER_CHECK_RES, "peer-check-res", STORE, RELAY, 0, f_peer_check_res,
	m_peer_check_res),
    ROW(MSG_QUERY, "query", STORE, RELAY, MSG_WORK, f_query, m_query),
    ROW(MSG_QUERY_RES, "query-res", RELAY, STORE, 0, f_query_res, m_query_res),

    ROW(MSG_CONNECT, "connect", RELAY, DIALER, MSG_WORK, f_connect, m_connect),
    ROW(MSG_CONNECTED, "connected", DIALER, RELAY, MSG_FD, f_connected, m_connected),
    ROW(MSG_CONNECT_FAIL, "connect-fail", DIALER, RELAY, 0, f_connect_fail,
	m_connect_fail),
};

const struct msg_def *
msg_at(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

const struct msg_def *
msg_find(uint16_t type)
{
	/* Types are small and dense enough for an index that fills itself on first use. */
	static const struct msg_def *index[256];
	static bool ready;

	if (!ready) {
		for (size_t i = 0; msg_at(i) != NULL; i++)
			index[table[i].type] = &table[i];
		ready = true;
	}
	return type < 256 ? index[type] : NULL;
}

const char *
msg_name(uint16_t type)
{
	const struct msg_def *def = msg_find(type);

	return def != NULL ? def->name : "?";
}

bool
msg_channel_exists(enum role a, enum role b)
{
	for (size_t i = 0; msg_at(i) != NULL; i++) {
		const struct msg_def *d = &table[i];

		if ((d->from & ROLE_BIT(a)) && (d->to & ROLE_BIT(b)))
			return true;
		if ((d->from & ROLE_BIT(b)) && (d->to & ROLE_BIT(a)))
			return true;
	}
	return false;
}
