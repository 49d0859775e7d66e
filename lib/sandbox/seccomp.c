/* SPDX-License-Identifier: ISC */
/*
 * seccomp.c - turns the rules of a role into a filter program and gives it to the kernel.
 *
 * The program is classic BPF, made at run time from needs.c. It kills what comes by another
 * machine's call convention, then asks rule after rule. The call's number stays in the
 * accumulator; a rule with conditions loads it again when one of them does not hold. Killing
 * takes the whole process, so that no thread goes on with half of a state.
 * Owns nothing once the kernel has the program. Called by linux.c, last of all steps.
 * Fails: with the name of the step and errno; the process is not caged then and must end.
 */
#include "config.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sandbox/needs.h"
#include "sandbox/nr.h"

#if defined(__x86_64__)
#define SECCOMP_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define SECCOMP_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define SECCOMP_ARCH AUDIT_ARCH_RISCV64
#else
#error "configure chose the Linux sandbox for a machine that it does not know"
#endif

/* x86-64 kernels may take 32-bit-pointer calls under the same architecture mark. */
#define SECCOMP_X32_BIT 0x40000000U
#define SECCOMP_INSNS 2048

struct program {
	struct sock_filter insn[SECCOMP_INSNS];
	unsigned short n;
	bool full;
};

static void
put(struct program *p, struct sock_filter insn)
{
	if (p->n == SECCOMP_INSNS)
		p->full = true;
	else
		p->insn[p->n++] = insn;
}

static void
put_load(struct program *p, size_t offset)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void
put_return(struct program *p, uint32_t action)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Goes on if the accumulator stands in this relation to the value, else skips some. */
static void
put_if(struct program *p, unsigned short test, uint32_t value, size_t skip)
{
	put(p,
	    (struct sock_filter)BPF_JUMP(
		(unsigned short)(BPF_JMP | test | BPF_K), value, 0, (uint8_t)skip));
}

static void
put_unless(struct program *p, unsigned short test, uint32_t value, size_t skip)
{
	put(p,
	    (struct sock_filter)BPF_JUMP(
		(unsigned short)(BPF_JMP | test | BPF_K), value, (uint8_t)skip, 0));
}

static size_t
arg_offset(unsigned arg)
{
	return offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t);
}

/* How many instructions put_cond() makes. */
static size_t
cond_size(const struct cond *c)
{
	return c->op == COND_NONE ? 0 : c->op == COND_NULL ? 4 : 2;
}

/* One condition; if it does not hold, skips what is left of it and "after" more. */
static void
put_cond(struct program *p, const struct cond *c, size_t after)
{
	if (c->op == COND_NONE)
		return;
	put_load(p, arg_offset(c->arg));
	if (c->op == COND_EQ)
		put_if(p, BPF_JEQ, c->value, after);
	else if (c->op == COND_SELF)
		put_if(p, BPF_JEQ, (uint32_t)getpid(), after);
	else if (c->op == COND_CLEAR)
		put_unless(p, BPF_JSET, c->value, after);
	else {
		put_if(p, BPF_JEQ, 0, after + 2);
		put_load(p, arg_offset(c->arg) + 4);
		put_if(p, BPF_JEQ, 0, after);
	}
}

/* number? conditions? then the action; with conditions, the number is loaded again behind. */
static void
put_rule(struct program *p, const struct rule *r)
{
	size_t first = cond_size(&r->cond[0]), second = cond_size(&r->cond[1]);
	size_t reload = first + second > 0 ? 1 : 0;

	if (r->nr < 0)
		return;
	put_if(p, BPF_JEQ, (uint32_t)r->nr, first + second + 1 + reload);
	put_cond(p, &r->cond[0], second + 1);
	put_cond(p, &r->cond[1], 1);
	put_return(p,
	    r->error == 0 ? SECCOMP_RET_ALLOW
			  : SECCOMP_RET_ERRNO | ((uint32_t)r->error & SECCOMP_RET_DATA));
	if (reload)
		put_load(p, offsetof(struct seccomp_data, nr));
}

static void
put_head(struct program *p)
{
	put_load(p, offsetof(struct seccomp_data, arch));
	put_unless(p, BPF_JEQ, SECCOMP_ARCH, 1);
	put_return(p, SECCOMP_RET_KILL_PROCESS);
	put_load(p, offsetof(struct seccomp_data, nr));
	put_if(p, BPF_JGE, SECCOMP_X32_BIT, 1);
	put_return(p, SECCOMP_RET_KILL_PROCESS);
}

static void
put_needs(struct program *p, unsigned needs)
{
	const struct rule *rules;
	size_t n;

	for (unsigned need = 0; need < NEED_COUNT; need++) {
		if ((needs & NEED_BIT(need)) == 0)
			continue;
		rules = needs_rules((enum need)need, &n);
		for (size_t i = 0; i < n; i++)
			put_rule(p, &rules[i]);
	}
}

const char *
seccomp_install(enum role role)
{
	static struct program p;
	struct sock_fprog prog;

	p.n = 0;
	p.full = false;
	put_head(&p);
	put_needs(&p, needs_of(role));
	/* A child's first calls after exec are made by a libc that we did not choose: under
	 * master's filter an unknown one is refused, so that libc falls back. */
	put_return(&p,
	    role == ROLE_MASTER ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_KILL_PROCESS);
	if (p.full) {
		errno = ENOSPC;
		return "seccomp program too long";
	}
	prog.len = p.n;
	prog.filter = p.insn;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == -1)
		return "seccomp filter";
	return NULL;
}
