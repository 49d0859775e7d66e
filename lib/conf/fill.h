/* SPDX-License-Identifier: ISC */
/*
 * fill.h - trees -> struct conf, one file after the other, by the schema.
 */
#ifndef CONF_FILL_H
#define CONF_FILL_H

#include "conf/conf.h"
#include "conf/tree.h"

struct fill {
	struct conf *conf;     /* borrowed: has the defaults, and gets the values */
	struct faults *faults; /* borrowed */
	bool override;         /* the present file may set again what is set */
	bool bad[CONF_COUNT];  /* what was written for this key is wrong */
};

/* Takes over all values of one file. root may be NULL (an empty file). False if the file has
 * no keys at all but something else; that is reported. */
bool fill_file(struct fill *, const struct node *root);
/* Reports required keys that no file has set; at: where to say so. */
void fill_required(struct fill *, struct place at);

#endif
