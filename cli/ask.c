/* SPDX-License-Identifier: ISC */
/*
 * ask.c - commands that the server carries out: arguments in, rows and an exit code out.
 *
 * Generic: what a command takes and gives is in wire/ctl.h, so most commands have no code of
 * their own. Called through the tables of emsgctl.c and emsgq.c. Whatever goes wrong is one
 * line on standard error and an exit code that says of what kind it is.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/account.h"
#include "cli/ask.h"
#include "wire/code.h"

#define ARGS_BYTES 16384 /* as one message takes them */

/* An answer that is being printed. */
struct answer {
	const struct call *call;
	struct output *output;
	bool unwell;                    /* a process is not ready */
	bool broken;                    /* a row could not be read */
	char name[ADDR_DOMAIN_MAX + 1]; /* the server's domain, as learned from it */
};

struct output *
ask_output(const struct call *call)
{
	enum output_form form = OUTPUT_TABS;

	if (call->opt[OPT_JSON] != NULL)
		form = OUTPUT_JSON;
	else if (isatty(STDOUT_FILENO))
		form = call->command->record ? OUTPUT_RECORD : OUTPUT_TABLE;
	return output_new(stdout, form, call->opt[OPT_QUIET] == NULL);
}

/* --- arguments --------------------------------------------------------------------------- */

static int
put_args(
    const struct call *call, const struct obj_def *def, const void *args, struct buf *out)
{
	if (obj_encode(def, args, out) == WIRE_OK && !buf_failed(out))
		return TOOL_OK;
	return tool_fail(call, TOOL_USAGE, "an argument is too long");
}

/* A name as the server knows it: a whole address for users. */
static int
full_name(const struct call *call, const char *typed, const char *domain,
    char out[ADDR_TEXT_SIZE])
{
	const char *why;

	if (account_normal(typed, domain, out, &why))
		return TOOL_OK;
	return tool_fail(call, TOOL_USAGE, "\"%s\": %s", typed, why);
}

static int
name_args(const struct call *call, const char *domain, struct buf *out)
{
	struct ctl_name args = {.name = span_str(call->args[0])};
	char account[ADDR_TEXT_SIZE];
	int rc;

	if (call->command->kind == WORD_USER) {
		rc = full_name(call, call->args[0], domain, account);
		if (rc != TOOL_OK)
			return rc;
		args.name = span_str(account);
	}
	return put_args(call, &ctl_name_def, &args, out);
}

static int
invite_args(const struct call *call, const char *domain, struct buf *out)
{
	const char *name = call->nargs > 0 ? call->args[0] : call->opt[OPT_USER];
	struct ctl_invite_args args = {.ttl = TOOL_TTL_S};
	char account[ADDR_TEXT_SIZE];
	int rc;

	if (call->opt[OPT_TTL] != NULL)
		(void)words_duration(call->opt[OPT_TTL], &args.ttl);
	if (name != NULL) {
		rc = full_name(call, name, domain, account);
		if (rc != TOOL_OK)
			return rc;
		args.account = span_str(account);
		obj_set(&ctl_invite_args_def, &args, 1);
	}
	return put_args(call, &ctl_invite_args_def, &args, out);
}

static int
queue_args(const struct call *call, struct buf *out)
{
	struct ctl_queue_args args = {0};
	struct buf qids;
	int rc;

	buf_init(&qids, ARGS_BYTES);
	for (size_t i = 0; i < call->nargs; i++)
		cbor_put_tstr(&qids, span_str(call->args[i]));
	if (call->nargs > 0) {
		args.qids.raw = buf_span(&qids);
		args.qids.count = call->nargs;
		obj_set(&ctl_queue_args_def, &args, 1);
	}
	if (call->opt[OPT_DEST] != NULL) {
		args.dest = span_str(call->opt[OPT_DEST]);
		obj_set(&ctl_queue_args_def, &args, 2);
	}
	if (call->opt[OPT_ALL] != NULL) {
		args.all = true;
		obj_set(&ctl_queue_args_def, &args, 3);
	}
	if (call->opt[OPT_LIMIT] != NULL) {
		(void)num_parse(call->opt[OPT_LIMIT], 1, UINT32_MAX, &args.limit);
		obj_set(&ctl_queue_args_def, &args, 4);
	}
	rc = put_args(call, &ctl_queue_args_def, &args, out);
	buf_clear(&qids);
	return rc;
}

int
ask_args(const struct call *call, unsigned command, const char *domain, struct buf *out)
{
	const struct obj_def *def = ctl_find(command)->args;
	uint32_t none = 0;

	if (def == &ctl_name_def)
		return name_args(call, domain, out);
	if (def == &ctl_invite_args_def)
		return invite_args(call, domain, out);
	if (def == &ctl_queue_args_def)
		return queue_args(call, out);
	return put_args(call, &ctl_none_def, &none, out);
}

/* --- answers ----------------------------------------------------------------------------- */

static enum tool_exit
exit_of(const struct call *call, const struct ctlsock_end *end)
{
	switch (end->code) {
	case CODE_NOT_FOUND:
	case CODE_UNKNOWN_ACCOUNT:
		return TOOL_NONE;
	case CODE_NOT_AUTHORISED:
		return TOOL_DENIED;
	case CODE_TIMEOUT:
		return end->rows > 0 ? TOOL_PARTIAL : TOOL_LATER;
	case CODE_CONFLICT:
		return call->command->ask == CTL_RELOAD ? TOOL_INVALID : TOOL_FAILED;
	default:
		break;
	}
	switch (code_class(end->code)) {
	case CODE_OK:
		return TOOL_OK;
	case CODE_TEMPORARY:
		return TOOL_LATER;
	default:
		return TOOL_FAILED;
	}
}

int
ask_end(const struct call *call, int rc, const struct ctlsock_end *end)
{
	const struct code_row *row = code_find(end->code);
	enum tool_exit code;

	if (rc == -1 && call->command->ask == CTL_STOP)
		return TOOL_OK;
	if (rc == -1)
		return tool_fail(call, TOOL_LATER,
		    "the server closed the connection; see its log, or try again");
	code = exit_of(call, end);
	if (code != TOOL_OK) {
		(void)fprintf(stderr, "%s: %s%s", call->tool->name, call->command->words,
		    call->command->words[0] != '\0' ? ": " : "");
		output_text(stderr,
		    end->text[0] != '\0' ? span_str(end->text)
			: row != NULL    ? span_str(row->text)
					 : span_str("failed"));
		(void)fputc('\n', stderr);
	} else if (end->rows == 0 && end->text[0] != '\0') {
		if (call->opt[OPT_JSON] != NULL) {
			(void)printf("{\"v\":1,\"result\":\"%s\",\"text\":",
			    code_symbol(end->code));
			output_json_text(stdout, span_str(end->text));
			(void)puts("}");
		} else if (call->opt[OPT_QUIET] == NULL) {
			output_text(stdout, span_str(end->text));
			(void)putchar('\n');
		}
	}
	return (int)code;
}

static void
on_row(unsigned kind, struct span bytes, void *arg)
{
	struct answer *a = arg;
	const struct obj_def *def = ctl_row_def(kind);
	struct ctl_process p;

	if (def == NULL || !output_row(a->output, def, bytes)) {
		a->broken = true;
		return;
	}
	if (kind == ROW_PROCESS && obj_decode(def, bytes, &p) == WIRE_OK &&
	    !span_eq(p.state, span_str("ready")))
		a->unwell = true;
}

/* --- running ----------------------------------------------------------------------------- */

static void
on_domain(unsigned kind, struct span bytes, void *arg)
{
	struct answer *a = arg;
	struct ctl_domain row;

	if (kind != ROW_DOMAIN || obj_decode(&ctl_domain_def, bytes, &row) != WIRE_OK)
		return;
	(void)text_copy(a->name, sizeof(a->name), row.domain);
}

/* Whether the command needs the server's domain to complete its arguments. */
static bool
needs_domain(const struct call *call)
{
	return call->command->ask == CTL_INVITE_CREATE ||
	    call->command->kind == WORD_USER;
}

static int
learn_domain(struct ctlsock *s, struct answer *a)
{
	struct ctlsock_end end;
	uint32_t none = 0;
	struct buf args;
	int rc;

	buf_init(&args, ARGS_BYTES);
	(void)obj_encode(&ctl_none_def, &none, &args);
	rc = ctlsock_ask(s, CTL_DOMAIN_SHOW, buf_span(&args), on_domain, a, &end);
	buf_clear(&args);
	if (rc == -1 || code_class(end.code) != CODE_OK)
		return ask_end(a->call, rc, &end);
	return TOOL_OK;
}

/* Asks on an open connection. */
static int
converse(struct ctlsock *s, struct answer *a)
{
	const struct word_command *c = a->call->command;
	bool rehearse = a->call->opt[OPT_DRY_RUN] != NULL && c->rehearse != 0;
	unsigned command = rehearse ? c->rehearse : c->ask;
	struct ctlsock_end end;
	struct buf args;
	int rc = TOOL_OK;

	if (needs_domain(a->call))
		rc = learn_domain(s, a);
	if (rc != TOOL_OK)
		return rc;
	buf_init(&args, ARGS_BYTES);
	rc = ask_args(a->call, command, a->name[0] != '\0' ? a->name : NULL, &args);
	if (rc == TOOL_OK) {
		rc = ctlsock_ask(s, command, buf_span(&args), on_row, a, &end);
		if (rehearse && c->ask == CTL_USER_ADD && rc == 0 &&
		    (end.code == CODE_NOT_FOUND || end.code == CODE_UNKNOWN_ACCOUNT))
			end = (struct ctlsock_end){.code = CODE_DONE};
		rc = ask_end(a->call, rc, &end);
	}
	if (rc == TOOL_OK && rehearse)
		tool_say(a->call, "nothing was changed");
	buf_clear(&args);
	return rc;
}

static int
ask_with(struct answer *a)
{
	struct ctlsock *s = NULL;
	int rc = (int)ctlsock_open(a->call, false, &s);

	if (rc != TOOL_OK)
		return rc;
	a->output = ask_output(a->call);
	rc = converse(s, a);
	output_free(a->output);
	ctlsock_free(s);
	if (rc == TOOL_OK && a->broken)
		rc = tool_fail(a->call, TOOL_PARTIAL,
		    "a part of the answer cannot be read; is the server of this "
		    "release?");
	return rc;
}

int
ask_run(const struct call *call)
{
	struct answer a = {.call = call};

	return ask_with(&a);
}

int
ask_status(const struct call *call)
{
	struct answer a = {.call = call};
	int rc = ask_with(&a);

	if (rc == TOOL_OK && a.unwell)
		rc = tool_fail(call, TOOL_PARTIAL, "not every process is ready");
	return rc;
}
