/* SPDX-License-Identifier: ISC */
/*
 * sockbio.c - a BIO between OpenSSL and a non-blocking socket.
 *
 * OpenSSL's own socket BIO would do, were it not for three things. It reads for as long as a
 * peer sends, be it data or records that carry none, so one peer could keep the loop busy:
 * ours counts, and plays "would block" when the budget of a wake-up is used up. It raises
 * SIGPIPE. And it loses the error of the system call in OpenSSL's queue. A short read also
 * saves the call that would only say that there is no more; the loop is level-triggered and
 * comes back.
 *
 * Owns the method table, made once. Called by conn.c. Fails as a BIO does, with the errno in
 * sock->failure.
 */
#include <errno.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>

#include "net/sockbio.h"

static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;
static BIO_METHOD *method;

/* Says to OpenSSL what a failed system call means. */
static void
failed(BIO *bio, struct sockbio *sock, int flag)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		BIO_set_flags(bio, flag | BIO_FLAGS_SHOULD_RETRY);
	else
		sock->failure = errno;
}

static int
on_read(BIO *bio, char *p, int size)
{
	struct sockbio *sock = BIO_get_data(bio);
	size_t max = (size_t)size < sock->budget ? (size_t)size : sock->budget;
	ssize_t n;

	BIO_clear_retry_flags(bio);
	if (max == 0 || sock->drained) {
		BIO_set_retry_read(bio);
		return -1;
	}
	n = recv(sock->fd, p, max, 0);
	if (n < 0)
		failed(bio, sock, BIO_FLAGS_READ);
	else if (n == 0)
		sock->eof = true;
	else
		sock->budget -= (size_t)n;
	sock->drained = n > 0 && (size_t)n < max;
	return (int)n;
}

static int
on_write(BIO *bio, const char *p, int size)
{
	struct sockbio *sock = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	n = send(sock->fd, p, (size_t)size, MSG_NOSIGNAL);
	if (n < 0)
		failed(bio, sock, BIO_FLAGS_WRITE);
	return (int)n;
}

static long
on_ctrl(BIO *bio, int command, long number, void *p)
{
	struct sockbio *sock = BIO_get_data(bio);

	(void)number;
	(void)p;
	if (command == BIO_CTRL_EOF)
		return sock->eof;
	return command == BIO_CTRL_FLUSH;
}

static void
make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "emsg");

	if (m != NULL && BIO_meth_set_read(m, on_read) == 1 &&
	    BIO_meth_set_write(m, on_write) == 1 && BIO_meth_set_ctrl(m, on_ctrl) == 1)
		method = m;
	else
		BIO_meth_free(m);
}

BIO *
sockbio_new(struct sockbio *sock)
{
	BIO *bio;

	if (CRYPTO_THREAD_run_once(&method_once, make_method) != 1 || method == NULL ||
	    (bio = BIO_new(method)) == NULL)
		return NULL;
	BIO_set_data(bio, sock);
	BIO_set_init(bio, 1);
	return bio;
}

void
sockbio_wake(struct sockbio *sock, size_t budget)
{
	sock->budget = budget;
	sock->drained = false;
}
