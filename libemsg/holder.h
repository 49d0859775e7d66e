/* SPDX-License-Identifier: ISC */
/*
 * holder.h - which of several programs on one account has the link, and how they wake each
 * other.
 */
#ifndef LIBEMSG_HOLDER_H
#define LIBEMSG_HOLDER_H

#include <stdbool.h>

#define HOLDER_FRIENDS_MAX 64 /* other programs at once; more look by themselves */
#define HOLDER_LOOK_MS 500    /* how often a program without a friend looks by itself */

struct holder;

/* dir: of the account. Takes nothing yet. NULL if descriptors run out. */
struct holder *holder_new(const char *dir);
/* Gives the link up. NULL-safe. */
void holder_free(struct holder *);
/* Becomes the holder if there is none, else keeps in touch with it. True: we are it. */
bool holder_try(struct holder *);
bool holder_is(const struct holder *);
/* In touch with the one that is. */
bool holder_has_friend(const struct holder *);
/* A descriptor to poll for reading. */
int holder_fd(const struct holder *);
/* Reads what came; true if another program woke us, or the holder is gone. */
bool holder_process(struct holder *);
/* Tells the others that the database has something new. */
void holder_wake(struct holder *);

#endif
