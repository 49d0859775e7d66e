/* SPDX-License-Identifier: ISC */
/*
 * dump_wire.c - prints the CDDL rule of every object of the protocol and the tables of reply
 * codes and requests, for protocol.py, which compares them with doc/protocol.md.
 *
 * A rule is printed as in the document, with an empty line behind it; a code or a request is
 * one line, "code" or "call" and its fields separated by tabs. It owns nothing and fails only
 * if stdout does.
 */
#include <stdio.h>

#include "base/buf.h"
#include "wire/call.h"
#include "wire/code.h"
#include "wire/proto.h"

#define RULES_MAX (1 << 20)

int
main(void)
{
	const struct code_row *row;
	const struct obj_def *def;
	const struct call *call;
	struct buf b;

	buf_init(&b, RULES_MAX);
	for (size_t i = 0; (def = proto_object_at(i)) != NULL; i++) {
		obj_cddl(def, &b);
		buf_put_u8(&b, '\n');
	}
	if (buf_failed(&b) || fwrite(b.p, 1, b.n, stdout) != b.n)
		return 1;
	buf_clear(&b);
	for (size_t i = 0; (row = code_at(i)) != NULL; i++)
		printf("code\t%u\t%s\t%s\t%s\n", row->code, row->symbol,
		    code_class_name(row->class), row->text);
	for (size_t i = 0; (call = call_at(i)) != NULL; i++)
		printf("call\t%s\t%s%s%s\t%s\t%s\n", call->method,
		    call->who & CALL_NOBODY ? "nobody " : "",
		    call->who & CALL_DEVICE ? "device " : "",
		    call->who & CALL_PEER ? "peer" : "", call->args->name,
		    call->result->name);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
