/* SPDX-License-Identifier: ISC */
/*
 * passphrase.c - where the passphrase of the local data comes from.
 *
 * From a file for scripts, else from the terminal. Never from the command line or the
 * environment, where others can read it. The terminal's echo comes back however reading ends;
 * a signal that ends the program meanwhile leaves that to the shell.
 *
 * Owns nothing. Called by main.c. Fails with a message.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "passphrase.h"
#include "show.h"

/* Keeps the first line; false if it is empty or too long. */
static bool
first_line(char *text, size_t n)
{
	char *end = memchr(text, '\n', n);

	if (end == NULL && n > EMSG_PASSPHRASE_MAX)
		return false;
	if (end == NULL)
		end = text + n;
	if (end > text && end[-1] == '\r')
		end--;
	*end = '\0';
	return end > text && end - text <= EMSG_PASSPHRASE_MAX &&
	    strlen(text) == (size_t)(end - text);
}

static bool
read_file(const char *file, char out[PASSPHRASE_SIZE])
{
	char text[PASSPHRASE_SIZE + 2];
	size_t n = 0;
	ssize_t got;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0) {
		show_error("%s: %s", file, strerror(errno));
		return false;
	}
	while (
	    n < sizeof(text) - 1 && (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	ok = first_line(text, n);
	if (ok)
		memcpy(out, text, strlen(text) + 1);
	else
		show_error("%s: the first line must be a passphrase of 1 to %d bytes",
		    file, EMSG_PASSPHRASE_MAX);
	wipe(text, sizeof(text));
	return ok;
}

/* One line from the terminal, not shown. */
static bool
ask(int tty, const char *prompt, char out[PASSPHRASE_SIZE])
{
	struct termios shown, hidden;
	char text[PASSPHRASE_SIZE + 2];
	size_t n = 0;
	bool ok;

	if (tcgetattr(tty, &shown) < 0)
		return false;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(tty, "%s: ", prompt);
	tcsetattr(tty, TCSAFLUSH, &hidden);
	while (n < sizeof(text) - 1 && read(tty, text + n, 1) == 1 && text[n] != '\n')
		n++;
	tcsetattr(tty, TCSAFLUSH, &shown);
	dprintf(tty, "\n");
	ok = first_line(text, n);
	if (ok)
		memcpy(out, text, strlen(text) + 1);
	wipe(text, sizeof(text));
	return ok;
}

static bool
ask_twice(int tty, char out[PASSPHRASE_SIZE])
{
	char again[PASSPHRASE_SIZE];
	bool same;

	if (!ask(tty, "New passphrase", out) || !ask(tty, "Once more", again)) {
		show_error("a passphrase has 1 to %d bytes", EMSG_PASSPHRASE_MAX);
		return false;
	}
	same = strlen(out) == strlen(again) && memcmp(out, again, strlen(out)) == 0;
	wipe(again, sizeof(again));
	if (!same)
		show_error("the two passphrases differ");
	return same;
}

bool
passphrase_read(const char *file, bool fresh, char out[PASSPHRASE_SIZE])
{
	bool ok;
	int tty;

	if (file == NULL)
		file = getenv("EMSG_PASSPHRASE_FILE");
	if (file != NULL)
		return read_file(file, out);
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0) {
		show_error("a passphrase is needed: use --passphrase-file");
		return false;
	}
	ok = fresh ? ask_twice(tty, out) : ask(tty, "Passphrase", out);
	if (!ok && !fresh)
		show_error("no passphrase");
	close(tty);
	return ok;
}
